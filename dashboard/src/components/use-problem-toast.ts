import { explain } from "../api/errors";
import { useToast } from "../ui/toast";

/** For actions that have no form to show their failure in. */
export function useProblemToast() {
  const toast = useToast();
  return (title: string, error: unknown) => {
    const problem = explain(error);
    const request = problem.requestId ? ` Request id ${problem.requestId}.` : "";
    toast({ tone: "bad", title, detail: `${problem.title}. ${problem.message}${request}` });
  };
}
