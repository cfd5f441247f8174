import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useLogOut } from "../api/auth";
import { useProblemToast } from "./use-problem-toast";

/** Logs out and forgets everything that was read. */
export function useLeave(): () => void {
  const logOut = useLogOut();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const tellProblem = useProblemToast();
  return () =>
    logOut.mutate(
      {},
      {
        onError: (error) => tellProblem("You are still logged in", error),
        onSuccess: async () => {
          await navigate({ to: "/login" });
          queryClient.clear();
        },
      },
    );
}
