import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useLogOut } from "../api/auth";
import { useProblemToast } from "./use-problem-toast";

/** Logs out and forgets everything that was read. */
export function useLeave(): () => Promise<void> {
  const logOut = useLogOut();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const tellProblem = useProblemToast();
  // A promise, not callbacks of the mutation: those are lost when the menu that asked is gone by then.
  return async () => {
    try {
      await logOut.mutateAsync({});
    } catch (error) {
      tellProblem("You are still logged in", error);
      return;
    }
    await navigate({ to: "/login", ignoreBlocker: true });
    queryClient.clear();
  };
}
