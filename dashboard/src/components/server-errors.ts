import type { FieldValues, Path, UseFormReturn } from "react-hook-form";
import { explain, type Problem } from "../api/errors";

/**
 * Puts the server's field errors at the fields of a form. Returns the problem when something of it has no field
 * here, so that the form can show it above.
 */
export function placeErrors<T extends FieldValues>(
  error: unknown,
  form: UseFormReturn<T>,
  names: readonly Path<T>[],
): Problem | undefined {
  const problem = explain(error);
  let placed = 0;
  for (const name of names) {
    const message = problem.fields[name];
    if (message === undefined) continue;
    form.setError(name, { type: "server", message }, { shouldFocus: placed === 0 });
    placed += 1;
  }
  const everyFieldPlaced = placed > 0 && placed === Object.keys(problem.fields).length;
  return everyFieldPlaced ? undefined : problem;
}
