import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Transport } from "@connectrpc/connect";
import { createQueryOptions, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { keepPreviousData, type QueryClient, useQueryClient } from "@tanstack/react-query";
import {
  type AppUsage,
  type GetUsageResponse,
  type LimitUse,
  type UsageCounts,
  UsageOrder,
  UsageService,
  UsageStep,
} from "../gen/peal/admin/v1/usage_pb";

export type { AppUsage, GetUsageResponse, LimitUse, UsageCounts };

export type Step = "minute" | "hour" | "day";
export type Order = "messages" | "connections" | "bytes" | "rejections";

const { getUsage, listAppsUsage, getLimitUse, getAlertSettings, updateAlertSettings } = UsageService.method;

const steps: Record<Step, UsageStep> = {
  minute: UsageStep.MINUTE,
  hour: UsageStep.HOUR,
  day: UsageStep.DAY,
};
const orders: Record<Order, UsageOrder> = {
  messages: UsageOrder.UNSPECIFIED,
  connections: UsageOrder.CONNECTIONS,
  bytes: UsageOrder.BYTES,
  rejections: UsageOrder.REJECTIONS,
};

const question = (appId: string, step: Step, since: Date) => ({
  appId,
  step: steps[step],
  since: timestampFromDate(since),
});

export function prefetchUsage(
  queryClient: QueryClient,
  transport: Transport,
  appId: string,
  step: Step,
  since: Date,
) {
  return queryClient.prefetchQuery(createQueryOptions(getUsage, question(appId, step, since), { transport }));
}

/** What an app used since a time, or with an empty id all apps together. What was there stays while more is asked for. */
export function useUsage(appId: string, step: Step, since: Date) {
  const query = useQuery(getUsage, question(appId, step, since), { placeholderData: keepPreviousData });
  return { ...query, usage: query.data };
}

export function useAppsUsage(step: Step, since: Date, order: Order) {
  const query = useQuery(
    listAppsUsage,
    { step: steps[step], since: timestampFromDate(since), order: orders[order], pageSize: 20 },
    { placeholderData: keepPreviousData },
  );
  return { ...query, apps: query.data?.apps };
}

/** How full the limits of an app are, asked anew every few seconds while somebody looks. */
export function useLimitUse(appId: string) {
  const query = useQuery(getLimitUse, { appId }, { refetchInterval: 10_000, retry: false });
  return { ...query, limits: query.data?.limits };
}

export function useAlertSettings() {
  const query = useQuery(getAlertSettings, {});
  return { ...query, settings: query.data?.settings };
}

export function useUpdateAlertSettings() {
  const queryClient = useQueryClient();
  const { queryKey } = createQueryOptions(getAlertSettings, {}, { transport: useTransport() });
  return useMutation(updateAlertSettings, {
    onSuccess: ({ settings }) => {
      if (settings) {
        queryClient.setQueryData(queryKey, { $typeName: "peal.admin.v1.GetAlertSettingsResponse", settings });
      }
    },
  });
}

/** The address of the same numbers as a file. */
export function usageFile(appId: string, step: Step, since: Date): string {
  const query = new URLSearchParams({ step, since: since.toISOString() });
  if (appId) query.set("app_id", appId);
  return `/api/export/usage?${query}`;
}
