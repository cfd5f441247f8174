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
import { type InfiniteData, type QueryClient, useQueryClient } from "@tanstack/react-query";
import { type App, AppService, type ListAppsResponse } from "../gen/peal/admin/v1/apps_pb";
import { rememberKeys } from "./keys";

export type { App };

const { listApps, getApp, createApp, renameApp, enableApp, disableApp, deleteApp } = AppService.method;

const firstPage = { pageSize: 50, pageToken: "" };
const paging = {
  pageParamKey: "pageToken",
  getNextPageParam: (last: { nextPageToken: string }) => last.nextPageToken || undefined,
} as const;

/** The apps of the tenant, newest first, as far as they were loaded. */
export function useApps() {
  const query = useInfiniteQuery(listApps, firstPage, paging);
  return { ...query, apps: query.data?.pages.flatMap((page) => page.apps) };
}

/** With cachedOnly, what is known already, without asking. */
export function useApp(appId: string, { cachedOnly = false } = {}) {
  const query = useQuery(getApp, { appId }, { enabled: !cachedOnly });
  return { ...query, app: query.data?.app };
}

export function prefetchApps(queryClient: QueryClient, transport: Transport) {
  return queryClient.prefetchInfiniteQuery(
    createInfiniteQueryOptions(listApps, firstPage, { ...paging, transport }),
  );
}

export function prefetchApp(queryClient: QueryClient, transport: Transport, appId: string) {
  return queryClient.prefetchQuery(createQueryOptions(getApp, { appId }, { transport }));
}

function useAppCache() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const key = (appId: string) => createQueryOptions(getApp, { appId }, { transport }).queryKey;
  const list = createConnectQueryKey({ schema: listApps, cardinality: undefined });
  return {
    put: (app: App) =>
      queryClient.setQueryData(key(app.id), { $typeName: "peal.admin.v1.GetAppResponse", app }),
    drop: (appId: string) => queryClient.removeQueries({ queryKey: key(appId) }),
    /** At once, so that the list does not show for a moment what is gone. */
    takeFromList: (appId: string) =>
      queryClient.setQueriesData<InfiniteData<ListAppsResponse>>({ queryKey: list }, (data) =>
        data
          ? {
              ...data,
              pages: data.pages.map((page) => ({
                ...page,
                apps: page.apps.filter((app) => app.id !== appId),
              })),
            }
          : undefined,
      ),
    refreshList: () => queryClient.invalidateQueries({ queryKey: list }),
  };
}

export function useCreateApp() {
  const cache = useAppCache();
  const queryClient = useQueryClient();
  const transport = useTransport();
  return useMutation(createApp, {
    onSuccess: ({ app, key }) => {
      if (app) cache.put(app);
      if (app && key) rememberKeys(queryClient, transport, app.id, [key]);
      void cache.refreshList();
    },
  });
}

/** Takes the app of an answer into the cache. */
function useChangedApp() {
  const cache = useAppCache();
  return {
    onSuccess: ({ app }: { app?: App }) => {
      if (app) cache.put(app);
      void cache.refreshList();
    },
  };
}

export function useRenameApp() {
  return useMutation(renameApp, useChangedApp());
}

export function useEnableApp() {
  return useMutation(enableApp, useChangedApp());
}

export function useDisableApp() {
  return useMutation(disableApp, useChangedApp());
}

/** The page leaves the app before its cache entry goes, or it would ask for an app that is no more. */
export function useDeleteApp() {
  const cache = useAppCache();
  const mutation = useMutation(deleteApp, {
    onSuccess: (_, { appId }) => {
      if (appId) cache.takeFromList(appId);
    },
  });
  return {
    ...mutation,
    forget: (appId: string) => {
      cache.drop(appId);
      return cache.refreshList();
    },
  };
}
