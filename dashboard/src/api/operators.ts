import type { Transport } from "@connectrpc/connect";
import {
  createConnectQueryKey,
  createInfiniteQueryOptions,
  createQueryOptions,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useTransport,
} from "@connectrpc/connect-query";
import { keepPreviousData, type QueryClient, useQueryClient } from "@tanstack/react-query";
import { AuthService } from "../gen/peal/admin/v1/auth_pb";
import { OperatorService, type Tenant } from "../gen/peal/admin/v1/operators_pb";
import { PlanService } from "../gen/peal/admin/v1/plans_pb";

export type { Tenant };

export type TenantsFilter = { text: string; planId: string; suspendedOnly: boolean };

const { listTenants, getTenant, setTenantPlan, suspendTenant, resumeTenant } = OperatorService.method;

const firstPage = (filter: TenantsFilter) => ({ pageSize: 50, pageToken: "", ...filter });
const paging = {
  pageParamKey: "pageToken",
  getNextPageParam: (last: { nextPageToken: string }) => last.nextPageToken || undefined,
} as const;

/** The tenants that a filter chooses, newest first, as far as they were loaded. */
export function useTenants(filter: TenantsFilter) {
  const query = useInfiniteQuery(listTenants, firstPage(filter), {
    ...paging,
    placeholderData: keepPreviousData,
  });
  return { ...query, tenants: query.data?.pages.flatMap((page) => page.tenants) };
}

export function prefetchTenants(queryClient: QueryClient, transport: Transport, filter: TenantsFilter) {
  return queryClient.prefetchInfiniteQuery(
    createInfiniteQueryOptions(listTenants, firstPage(filter), { ...paging, transport }),
  );
}

export function useTenant(tenantId: string) {
  const query = useQuery(getTenant, { tenantId });
  return { ...query, tenant: query.data?.tenant };
}

export function prefetchTenant(queryClient: QueryClient, transport: Transport, tenantId: string) {
  return queryClient.prefetchQuery(createQueryOptions(getTenant, { tenantId }, { transport }));
}

/** Takes the tenant of an answer into the cache, and has asked for anew what tells of tenants besides. */
function useChangedTenant() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  return {
    onSuccess: ({ tenant }: { tenant?: Tenant }) => {
      if (!tenant) return;
      const { queryKey } = createQueryOptions(getTenant, { tenantId: tenant.id }, { transport });
      queryClient.setQueryData(queryKey, { $typeName: "peal.admin.v1.GetTenantResponse", tenant });
      const others = [
        createConnectQueryKey({ schema: listTenants, cardinality: undefined }),
        // How many tenants have a plan.
        createConnectQueryKey({ schema: PlanService.method.listPlans, cardinality: undefined }),
        // It may be the operator's own.
        createConnectQueryKey({ schema: AuthService.method.whoAmI, cardinality: undefined }),
      ];
      for (const queryKey of others) void queryClient.invalidateQueries({ queryKey });
    },
  };
}

export function useSetTenantPlan() {
  return useMutation(setTenantPlan, useChangedTenant());
}

export function useSuspendTenant() {
  return useMutation(suspendTenant, useChangedTenant());
}

export function useResumeTenant() {
  return useMutation(resumeTenant, useChangedTenant());
}
