import { useMutation } from "@connectrpc/connect-query";
import { OperatorService } from "../gen/peal/admin/v1/operators_pb";
import { useAccountSwitch } from "./auth";

const { impersonate, stopImpersonating } = OperatorService.method;

/** Has this session look at a tenant as its members see it. */
export function useImpersonate() {
  const enter = useAccountSwitch();
  return useMutation(impersonate, { onSuccess: ({ account }) => enter(account) });
}

/** Has it be its user's own again. */
export function useStopImpersonating() {
  const enter = useAccountSwitch();
  return useMutation(stopImpersonating, { onSuccess: ({ account }) => enter(account) });
}
