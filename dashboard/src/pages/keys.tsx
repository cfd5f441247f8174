import { KeyRound } from "lucide-react";
import { useState } from "react";
import { type Key, useKeys, works } from "../api/keys";
import { CreateKey } from "../components/create-key";
import { useCurrentApp } from "../components/current-app";
import { KeysTable, KeysTableSkeleton } from "../components/keys-table";
import { Page } from "../components/page";
import { LoadProblem } from "../components/problem";
import { RevokeKey } from "../components/revoke-key";
import { RotateKey } from "../components/rotate-key";
import { Empty } from "../ui/empty";

export function KeysPage() {
  const app = useCurrentApp();
  const { keys, error, refetch, isFetching } = useKeys(app.id);
  const [rotating, setRotating] = useState<Key>();
  const [revoking, setRevoking] = useState<Key>();
  const working = keys?.filter(works).length ?? 0;

  return (
    <Page
      title="Keys"
      context={app.name}
      description="Clients connect with a key. Servers sign their requests with its secret. To change a key, rotate it: the old one and the new one both work until you have moved."
      actions={keys && <CreateKey app={app} working={working} />}
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
      {keys && keys.length > 0 && (
        <KeysTable appId={app.id} keys={keys} onRotate={setRotating} onRevoke={setRevoking} />
      )}
      <RotateKey appId={app.id} target={rotating} onClose={() => setRotating(undefined)} />
      <RevokeKey
        appId={app.id}
        target={revoking}
        last={working === 1}
        onClose={() => setRevoking(undefined)}
      />
    </Page>
  );
}
