import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";
import type { App } from "../api/apps";
import { isActive, type Key, useCreateKey, useKeys } from "../api/keys";
import { Permission, useReasonAgainst } from "../api/permission";
import { useCurrentApp } from "../components/current-app";
import { KeysTable, KeysTableSkeleton } from "../components/keys-table";
import { Page } from "../components/page";
import { LoadProblem } from "../components/problem";
import { RevokeKey } from "../components/revoke-key";
import { useProblemToast } from "../components/use-problem-toast";
import { Button } from "../ui/button";
import { Empty } from "../ui/empty";
import { useToast } from "../ui/toast";

export function KeysPage() {
  const app = useCurrentApp();
  const { keys, error, refetch, isFetching } = useKeys(app.id);
  const [revoking, setRevoking] = useState<Key>();

  return (
    <Page
      title="Keys"
      context={app.name}
      description="Clients connect with a key. Servers sign their requests with its secret. To change a key, create another, move to it, then revoke the old one."
      actions={keys && <CreateKey app={app} active={keys.filter(isActive).length} />}
    >
      {keys === undefined && error && (
        <LoadProblem what="the keys" error={error} onRetry={() => void refetch()} busy={isFetching} />
      )}
      {keys === undefined && !error && <KeysTableSkeleton />}
      {keys?.length === 0 && (
        <Empty icon={<KeyRound aria-hidden className="size-5" />} title="This app has no key">
          Nothing can connect without one. Create a key to go on.
        </Empty>
      )}
      {keys && keys.length > 0 && <KeysTable appId={app.id} keys={keys} onRevoke={setRevoking} />}
      <RevokeKey
        appId={app.id}
        target={revoking}
        last={keys !== undefined && keys.filter(isActive).length === 1}
        onClose={() => setRevoking(undefined)}
      />
    </Page>
  );
}

const most = 20;

function CreateKey({ app, active }: { app: App; active: number }) {
  const create = useCreateKey(app.id);
  const toast = useToast();
  const tellProblem = useProblemToast();
  const notAllowed = useReasonAgainst(Permission.KEYS_WRITE);
  const full = active >= most ? `An app has at most ${most} active keys. Revoke one first.` : undefined;

  function run() {
    create.mutate(
      { appId: app.id },
      {
        onSuccess: ({ key }) => toast({ tone: "ok", title: "Key created", detail: key?.key }),
        onError: (error) => tellProblem("The key was not created", error),
      },
    );
  }

  return (
    <Button
      variant="primary"
      icon={<Plus aria-hidden className="size-4" />}
      busy={create.isPending}
      reason={notAllowed ?? full}
      onClick={run}
    >
      Create key
    </Button>
  );
}
