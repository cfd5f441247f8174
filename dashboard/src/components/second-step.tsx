import { useState } from "react";
import { useForm } from "react-hook-form";
import { useLogInSecondFactor } from "../api/auth";
import { explain, type Problem } from "../api/errors";
import { Button } from "../ui/button";
import { Field } from "../ui/field";
import { CodeInput } from "./code-input";
import { FormProblem } from "./problem";
import { checkCode } from "./rules";
import { placeErrors } from "./server-errors";

/** The second step of a login. */
export function SecondStep({ onDone, onStartOver }: { onDone: () => void; onStartOver: () => void }) {
  const form = useForm({ defaultValues: { code: "" } });
  const [problem, setProblem] = useState<Problem>();
  const [over, setOver] = useState(false);
  const logIn = useLogInSecondFactor();

  const submit = form.handleSubmit(async ({ code }) => {
    setProblem(undefined);
    try {
      await logIn.mutateAsync({ code: code.trim() });
      onDone();
    } catch (error) {
      if (explain(error).kind === "signed-out") {
        setOver(true);
        form.setError("code", { message: "This login took too long. Start over." });
      } else {
        setProblem(placeErrors(error, form, ["code"]));
      }
    }
  });

  return (
    <form noValidate onSubmit={submit} className="flex flex-col gap-5">
      <FormProblem problem={problem} />
      <Field
        label="Code"
        hint="The six digits that your authenticator app shows, or one of your recovery codes."
        error={form.formState.errors.code?.message}
      >
        <CodeInput {...form.register("code", { validate: checkCode })} autoFocus />
      </Field>
      {!over && (
        <Button type="submit" variant="primary" busy={logIn.isPending}>
          Log in
        </Button>
      )}
      <Button variant={over ? "primary" : "ghost"} onClick={onStartOver}>
        Start over
      </Button>
    </form>
  );
}
