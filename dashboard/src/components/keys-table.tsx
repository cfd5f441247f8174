import { activeFirst, isActive, type Key } from "../api/keys";
import { Permission, useReasonAgainst } from "../api/permission";
import { toDate } from "../api/time";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { CopyButton } from "../ui/copy-button";
import { Skeleton } from "../ui/skeleton";
import { Head, Row, Table, Td, Th } from "../ui/table";
import { Ago } from "./ago";
import { SecretText } from "./secret-text";
import { useSecret } from "./use-secret";

export function KeysTable({
  appId,
  keys,
  onRevoke,
}: {
  appId: string;
  keys: Key[];
  onRevoke: (key: Key) => void;
}) {
  return (
    <Table label="Keys">
      <KeysHead />
      <tbody>
        {activeFirst(keys).map((key) => (
          <KeyRow key={key.key} appId={appId} value={key} onRevoke={() => onRevoke(key)} />
        ))}
      </tbody>
    </Table>
  );
}

function KeyRow({ appId, value, onRevoke }: { appId: string; value: Key; onRevoke: () => void }) {
  const secret = useSecret(appId, value.key);
  const reason = useReasonAgainst(Permission.KEYS_WRITE);
  const active = isActive(value);
  const state = <Badge tone={active ? "ok" : "neutral"}>{active ? "Active" : "Revoked"}</Badge>;
  const created = value.createTime && <Ago date={toDate(value.createTime)} />;
  const hidden = active ? (
    <SecretText secret={secret} of={`key ${value.key}`} />
  ) : (
    value.revokeTime && (
      <span className="whitespace-nowrap">
        Revoked <Ago date={toDate(value.revokeTime)} />
      </span>
    )
  );
  const revoke = active && (
    <Button
      size="sm"
      variant="ghost"
      reason={reason}
      onClick={onRevoke}
      aria-label={`Revoke key ${value.key}`}
    >
      Revoke
    </Button>
  );
  return (
    <Row className={active ? undefined : "text-muted"}>
      {/* A phone has no room for columns: there, this one is as wide as the table and holds the whole row. */}
      <Td className="max-md:max-w-0 max-md:py-2.5">
        <span className="flex items-center gap-1">
          <code className="truncate text-12">{value.key}</code>
          <CopyButton what={`key ${value.key}`} source={value.key} />
          <span className="-mr-2.5 ml-auto shrink-0 md:hidden">{revoke}</span>
        </span>
        <div className="flex flex-col gap-1.5 md:hidden">
          {active && hidden}
          <span className="flex items-center gap-2 text-12 text-muted">
            {state}
            <span>
              {active ? "created " : null}
              {active ? created : value.revokeTime && <Ago date={toDate(value.revokeTime)} />}
            </span>
          </span>
        </div>
      </Td>
      <Td className="max-md:hidden">{state}</Td>
      <Td className="max-md:hidden">{created}</Td>
      <Td className="max-md:hidden">{hidden}</Td>
      <Td className="text-right max-md:hidden">{revoke}</Td>
    </Row>
  );
}

function KeysHead() {
  return (
    <Head>
      <Th>Key</Th>
      <Th className="max-md:hidden">State</Th>
      <Th className="max-md:hidden">Created</Th>
      <Th className="max-md:hidden">Secret</Th>
      <Th className="max-md:hidden">
        <span className="sr-only">Actions</span>
      </Th>
    </Head>
  );
}

export function KeysTableSkeleton() {
  return (
    <>
      <p role="status" className="sr-only">
        Loading keys
      </p>
      <div aria-hidden>
        <Table label="Loading">
          <KeysHead />
          <tbody>
            {["w-44", "w-40"].map((width) => (
              <Row key={width}>
                <Td>
                  <Skeleton className={width} />
                </Td>
                <Td className="max-md:hidden">
                  <Skeleton className="w-14" />
                </Td>
                <Td className="max-md:hidden">
                  <Skeleton className="w-20" />
                </Td>
                <Td className="max-md:hidden">
                  <Skeleton className="w-44" />
                </Td>
                <Td className="max-md:hidden" />
              </Row>
            ))}
          </tbody>
        </Table>
      </div>
    </>
  );
}
