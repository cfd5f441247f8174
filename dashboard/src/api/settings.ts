import type { Transport } from "@connectrpc/connect";
import { createQueryOptions, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import {
  type AppSettings,
  type ChannelRule,
  type Features,
  type Limit,
  LimitUnit,
  SettingsService,
} from "../gen/peal/admin/v1/settings_pb";

export type { AppSettings, ChannelRule, Limit };
export { LimitUnit };

export type FeatureKey = Exclude<keyof Features, "$typeName" | "$unknown">;

/** A limit to set, or without a value to put back to its default, by the name of its field. */
export type LimitChanges = Record<string, { value?: number }>;

/** A whole list of rules to set. */
export type ChannelRules = { pattern: string; log: { size: number; ttlSeconds: number } }[];

const { getAppSettings, updateAppSettings, checkOrigin } = SettingsService.method;

const options = (transport: Transport, appId: string) =>
  createQueryOptions(getAppSettings, { appId }, { transport });

export function useAppSettings(appId: string) {
  const query = useQuery(getAppSettings, { appId });
  return { ...query, settings: query.data?.settings };
}

export function prefetchAppSettings(queryClient: QueryClient, transport: Transport, appId: string) {
  return queryClient.prefetchQuery(options(transport, appId));
}

export function useUpdateAppSettings(appId: string) {
  const queryClient = useQueryClient();
  const transport = useTransport();
  return useMutation(updateAppSettings, {
    onSuccess: ({ settings }) => {
      if (!settings) return;
      queryClient.setQueryData(options(transport, appId).queryKey, {
        $typeName: "peal.admin.v1.GetAppSettingsResponse",
        settings,
      });
    },
  });
}

/** Asks the server, because only its own reading of an origin counts. */
export function useCheckOrigin() {
  return useMutation(checkOrigin);
}
