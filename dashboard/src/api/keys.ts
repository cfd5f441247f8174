import type { Transport } from "@connectrpc/connect";
import { createQueryOptions, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { type Key, KeyScope, KeyService, KeyState } from "../gen/peal/admin/v1/keys_pb";

export type { Key };
export { KeyScope, KeyState };

const { listKeys, createKey, rotateKey, keepKey, revealKey, revokeKey } = KeyService.method;

/** How often the list is asked for again: keys retire by the clock, and uses are told about a minute late. */
const refetchInterval = 30_000;

const listOptions = (transport: Transport, appId: string) =>
  createQueryOptions(listKeys, { appId }, { transport });

export const isActive = (key: Key): boolean => key.state === KeyState.ACTIVE;
export const isRetiring = (key: Key): boolean => key.state === KeyState.RETIRING;
/** Whether the key opens its app, be it for some time only. */
export const works = (key: Key): boolean => isActive(key) || isRetiring(key);

/** Active keys before those that retire, and these before revoked ones, each in the order they came. */
export const activeFirst = (keys: Key[]): Key[] => [
  ...keys.filter(isActive),
  ...keys.filter(isRetiring),
  ...keys.filter((key) => !works(key)),
];

export const allows = (key: Key, scope: KeyScope): boolean =>
  key.scopes.includes(KeyScope.ALL) || key.scopes.includes(scope);

/** The key for a page that listens and shows how to publish: one for both, else one to listen with. */
export function keyForStart(keys: Key[]): Key | undefined {
  const listening = keys.filter((key) => isActive(key) && allows(key, KeyScope.SUBSCRIBE));
  return listening.find((key) => allows(key, KeyScope.PUBLISH)) ?? listening[0];
}

/** The keys of an app, oldest first, revoked ones too. */
export function useKeys(appId: string) {
  const query = useQuery(listKeys, { appId }, { refetchInterval });
  return { ...query, keys: query.data?.keys };
}

export function prefetchKeys(queryClient: QueryClient, transport: Transport, appId: string) {
  return queryClient.prefetchQuery(listOptions(transport, appId));
}

/** Fills the cache with keys that came along with another answer. */
export function rememberKeys(
  queryClient: QueryClient,
  transport: Transport,
  appId: string,
  keys: Key[],
): void {
  queryClient.setQueryData(listOptions(transport, appId).queryKey, {
    $typeName: "peal.admin.v1.ListKeysResponse",
    keys,
  });
}

export function useCreateKey(appId: string) {
  const queryClient = useQueryClient();
  const transport = useTransport();
  return useMutation(createKey, {
    onSuccess: () => queryClient.invalidateQueries(listOptions(transport, appId)),
  });
}

export function useRotateKey(appId: string) {
  const queryClient = useQueryClient();
  const transport = useTransport();
  return useMutation(rotateKey, {
    onSettled: () => queryClient.invalidateQueries(listOptions(transport, appId)),
  });
}

export function useKeepKey(appId: string) {
  const queryClient = useQueryClient();
  const transport = useTransport();
  return useMutation(keepKey, {
    onSettled: () => queryClient.invalidateQueries(listOptions(transport, appId)),
  });
}

export function useRevokeKey(appId: string) {
  const queryClient = useQueryClient();
  const transport = useTransport();
  // Also after a failure: somebody else may have revoked it first.
  return useMutation(revokeKey, {
    onSettled: () => queryClient.invalidateQueries(listOptions(transport, appId)),
  });
}

/** A mutation, because each call is audited and because the answer must not lie in the query cache. */
export function useRevealKey() {
  return useMutation(revealKey, { gcTime: 0 });
}
