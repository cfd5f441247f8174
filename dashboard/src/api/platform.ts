import type { Transport } from "@connectrpc/connect";
import { createQueryOptions, useQuery } from "@connectrpc/connect-query";
import type { QueryClient } from "@tanstack/react-query";
import { PlatformService } from "../gen/peal/admin/v1/platform_pb";

const { getPlatform } = PlatformService.method;

/** Where the edge is reached; it does not change while a page is open. */
export type Edge = { host: string; port: number; tls: boolean };

export function usePlatform() {
  const query = useQuery(getPlatform, {}, { staleTime: Number.POSITIVE_INFINITY });
  const edge: Edge | undefined = query.data && {
    host: query.data.edgeHost,
    port: query.data.edgePort,
    tls: query.data.edgeTls,
  };
  return { ...query, edge, version: query.data?.version, sendsMail: query.data?.sendsMail };
}

export function prefetchPlatform(queryClient: QueryClient, transport: Transport) {
  return queryClient.prefetchQuery({
    ...createQueryOptions(getPlatform, {}, { transport }),
    staleTime: Number.POSITIVE_INFINITY,
  });
}
