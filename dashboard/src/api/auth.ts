import type { Transport } from "@connectrpc/connect";
import { createQueryOptions, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { type Account, AuthService } from "../gen/peal/admin/v1/auth_pb";
import { isSignedOut } from "./errors";

export type { Account };

const { whoAmI, logIn, logInSecondFactor, logOut, signUp } = AuthService.method;

/** The account of the session; rejects when there is none. */
export async function loadAccount(
  queryClient: QueryClient,
  transport: Transport,
): Promise<Account | undefined> {
  const options = createQueryOptions(whoAmI, {}, { transport });
  const { account } = await queryClient.ensureQueryData({ ...options, revalidateIfStale: true });
  return account;
}

/** Asks the server, since a remembered account may be of a session that has ended. Any failure counts as none. */
export async function isSignedIn(queryClient: QueryClient, transport: Transport): Promise<boolean> {
  const options = createQueryOptions(whoAmI, {}, { transport });
  // Who was sent here because there is no session need not wait for the same answer again.
  const known = queryClient.getQueryState(options.queryKey);
  if (known?.data === undefined && isSignedOut(known?.error)) return false;
  try {
    await queryClient.fetchQuery({ ...options, staleTime: 0, retry: false });
    return true;
  } catch {
    return false;
  }
}

/** Only below the shell, which is not drawn before the account is known. */
export function useAccount(): Account {
  const { data } = useQuery(whoAmI, {});
  if (!data?.account) throw new Error("useAccount outside of the shell");
  return data.account;
}

/** Has the account read anew: its address, its role, its second factor. */
export function useForgetAccount() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  return () => queryClient.invalidateQueries(createQueryOptions(whoAmI, {}, { transport }));
}

/** Forgets all that was read for one account and remembers the next. */
export function useAccountSwitch() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  return (account: Account | undefined) => {
    queryClient.clear();
    if (!account) return;
    const { queryKey } = createQueryOptions(whoAmI, {}, { transport });
    queryClient.setQueryData(queryKey, { $typeName: "peal.admin.v1.WhoAmIResponse", account });
  };
}

/** The answer may ask for the second factor instead of bringing an account. */
export function useLogIn() {
  const enter = useAccountSwitch();
  return useMutation(logIn, { onSuccess: ({ account }) => enter(account) });
}

export function useLogInSecondFactor() {
  const enter = useAccountSwitch();
  return useMutation(logInSecondFactor, { onSuccess: ({ account }) => enter(account) });
}

export function useSignUp() {
  const enter = useAccountSwitch();
  return useMutation(signUp, { onSuccess: ({ account }) => enter(account) });
}

export function useLogOut() {
  return useMutation(logOut);
}
