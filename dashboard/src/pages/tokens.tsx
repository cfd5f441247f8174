import { KeySquare, Plus } from "lucide-react";
import { useState } from "react";
import { useAccount } from "../api/auth";
import { usePlatform } from "../api/platform";
import { toDate } from "../api/time";
import { onlyReads, permissionName, type Token, useRevokeToken, useTokens } from "../api/tokens";
import { AccountPage } from "../components/account-nav";
import { Ago } from "../components/ago";
import { CreateToken } from "../components/create-token";
import { Name } from "../components/name";
import { LoadProblem } from "../components/problem";
import { useProblemToast } from "../components/use-problem-toast";
import { AlertDialog } from "../ui/alert-dialog";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Empty } from "../ui/empty";
import { Skeleton } from "../ui/skeleton";
import { Head, Row, Table, Td, Th } from "../ui/table";
import { useToast } from "../ui/toast";

export function TokensPage() {
  const { tokens, grantable, error, refetch, isFetching } = useTokens();
  const { tenantName, emailVerified } = useAccount();
  const { sendsMail } = usePlatform();
  const [creating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<Token>();
  const notVerified = sendsMail && !emailVerified ? "Verify your email address first." : undefined;
  const some = tokens !== undefined && tokens.length > 0;
  const create = (
    <Button
      variant="primary"
      icon={<Plus aria-hidden className="size-4" />}
      reason={notVerified}
      onClick={() => setCreating(true)}
    >
      Create token
    </Button>
  );

  return (
    <AccountPage
      title="API tokens"
      description={`With them programs do in ${tenantName} what you may do yourself, or less.`}
      actions={some && create}
    >
      {tokens === undefined && error && (
        <LoadProblem what="the tokens" error={error} onRetry={() => void refetch()} busy={isFetching} />
      )}
      {tokens === undefined && !error && <TokensSkeleton />}
      {tokens?.length === 0 && (
        <Empty icon={<KeySquare aria-hidden className="size-5" />} title="There is no token" action={create}>
          The admin API takes one as <code className="text-12">Authorization: Bearer peal_…</code>. Apps
          publish with their keys and need none.
        </Empty>
      )}
      {some && (
        <Table label="API tokens" className="table-fixed">
          <TokensHead />
          <tbody>
            {tokens.map((token) => (
              <TokenRow key={token.id} token={token} onRevoke={() => setRevoking(token)} />
            ))}
          </tbody>
        </Table>
      )}
      <CreateToken open={creating} grantable={grantable} onClose={() => setCreating(false)} />
      <Revoke token={revoking} onClose={() => setRevoking(undefined)} />
    </AccountPage>
  );
}

function TokenRow({ token, onRevoke }: { token: Token; onRevoke: () => void }) {
  const ends = token.expireTime && toDate(token.expireTime);
  const over = ends !== undefined && ends.getTime() <= Date.now();
  return (
    <Row>
      <Td>
        <span className="flex min-w-0 items-center gap-2">
          <Name className="font-medium">{token.name}</Name>
          <code className="shrink-0 text-12 text-muted max-sm:hidden">{token.hint}…</code>
        </span>
      </Td>
      <Td className="max-lg:hidden">
        <Name>{token.own ? "you" : token.email}</Name>
      </Td>
      <Td className="max-md:hidden">
        <span title={token.scopes.map(permissionName).join(", ")}>
          {token.scopes.every(onlyReads) ? "Read only" : `${token.scopes.length} permissions`}
        </span>
      </Td>
      <Td className="text-muted max-md:hidden">
        {token.lastUsedTime ? <Ago date={toDate(token.lastUsedTime)} /> : "never"}
      </Td>
      <Td className="text-muted">{over ? <Badge tone="warn">Over</Badge> : ends && <Ago date={ends} />}</Td>
      <Td className="px-1 text-right">
        <Button size="sm" variant="ghost" onClick={onRevoke} aria-label={`Revoke the token ${token.name}`}>
          Revoke
        </Button>
      </Td>
    </Row>
  );
}

function TokensHead() {
  return (
    <Head>
      <Th>Name</Th>
      <Th className="w-48 max-lg:hidden">Of</Th>
      <Th className="w-36 max-md:hidden">May do</Th>
      <Th className="w-36 max-md:hidden">Last used</Th>
      <Th className="w-32">Ends</Th>
      <Th className="w-24 px-1">
        <span className="sr-only">Actions</span>
      </Th>
    </Head>
  );
}

function Revoke({ token, onClose }: { token: Token | undefined; onClose: () => void }) {
  const revoke = useRevokeToken();
  const toast = useToast();
  const tellProblem = useProblemToast();
  function run() {
    if (!token) return;
    revoke.mutate(
      { tokenId: token.id },
      {
        onSuccess: () => toast({ tone: "ok", title: "Token revoked", detail: token.name }),
        onError: (error) => tellProblem("The token was not revoked", error),
        onSettled: onClose,
      },
    );
  }
  return (
    <AlertDialog
      open={token !== undefined}
      onOpenChange={(open) => open || onClose()}
      title="Revoke this token?"
      action="Revoke token"
      busy={revoke.isPending}
      onConfirm={run}
    >
      <p className="break-words font-medium text-ink">{token?.name}</p>
      <p>Every call that comes with it fails from now on. This cannot be undone.</p>
    </AlertDialog>
  );
}

function TokensSkeleton() {
  return (
    <>
      <p role="status" className="sr-only">
        Loading tokens
      </p>
      <div aria-hidden>
        <Table label="Loading" className="table-fixed">
          <TokensHead />
          <tbody>
            {["w-40", "w-28"].map((width) => (
              <Row key={width}>
                <Td>
                  <Skeleton className={`${width} max-w-full`} />
                </Td>
                <Td className="max-lg:hidden">
                  <Skeleton className="w-20" />
                </Td>
                <Td className="max-md:hidden">
                  <Skeleton className="w-20" />
                </Td>
                <Td className="max-md:hidden">
                  <Skeleton className="w-20" />
                </Td>
                <Td>
                  <Skeleton className="w-16" />
                </Td>
                <Td />
              </Row>
            ))}
          </tbody>
        </Table>
      </div>
    </>
  );
}
