import type { Transport } from "@connectrpc/connect";
import { createConnectQueryKey, createQueryOptions, useMutation, useQuery } from "@connectrpc/connect-query";
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { OperatorService } from "../gen/peal/admin/v1/operators_pb";
import { type Plan, type PlanLimit, PlanService } from "../gen/peal/admin/v1/plans_pb";

export type { Plan, PlanLimit };

const { listPlans, createPlan, updatePlan, deletePlan } = PlanService.method;

/** All plans by their names, and what a new one may set. */
export function usePlans() {
  const query = useQuery(listPlans, {});
  return { ...query, plans: query.data?.plans, limits: query.data?.limits };
}

export function prefetchPlans(queryClient: QueryClient, transport: Transport) {
  return queryClient.prefetchQuery(createQueryOptions(listPlans, {}, { transport }));
}

/** What a change of plans makes old: the list, since one default takes the place of another, and what tenants have. */
function useRefresh() {
  const queryClient = useQueryClient();
  return async () => {
    void queryClient.invalidateQueries({
      queryKey: createConnectQueryKey({ schema: OperatorService, cardinality: undefined }),
    });
    await queryClient.invalidateQueries({
      queryKey: createConnectQueryKey({ schema: listPlans, cardinality: "finite" }),
    });
  };
}

export function useCreatePlan() {
  return useMutation(createPlan, { onSuccess: useRefresh() });
}

export function useUpdatePlan() {
  return useMutation(updatePlan, { onSuccess: useRefresh() });
}

/** Not refreshed by itself: the page leaves the plan first, or it would say for a moment that there is none. */
export function useDeletePlan() {
  return { ...useMutation(deletePlan), refresh: useRefresh() };
}
