import { createQueryOptions, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { type BeginSecondFactorResponse, SecondFactorService } from "../gen/peal/admin/v1/second_factor_pb";
import { useForgetAccount } from "./auth";

export type Enrolment = BeginSecondFactorResponse;

const {
  getSecondFactor,
  beginSecondFactor,
  confirmSecondFactor,
  disableSecondFactor,
  regenerateRecoveryCodes,
} = SecondFactorService.method;

export function useSecondFactor() {
  const query = useQuery(getSecondFactor, {});
  return { ...query, factor: query.data };
}

function useRefresh() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const forget = useForgetAccount();
  return () =>
    Promise.all([
      queryClient.invalidateQueries(createQueryOptions(getSecondFactor, {}, { transport })),
      forget(),
    ]);
}

// Secrets come with the answers; none of them is to stay in a cache.
export const useBeginSecondFactor = () => useMutation(beginSecondFactor, { gcTime: 0 });
export const useConfirmSecondFactor = () =>
  useMutation(confirmSecondFactor, { onSuccess: useRefresh(), gcTime: 0 });
export const useDisableSecondFactor = () =>
  useMutation(disableSecondFactor, { onSuccess: useRefresh(), gcTime: 0 });
export const useRegenerateRecoveryCodes = () =>
  useMutation(regenerateRecoveryCodes, { onSuccess: useRefresh(), gcTime: 0 });
