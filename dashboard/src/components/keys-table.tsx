import { isActive, type Key } from "../api/keys";
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
        {keys.map((key) => (
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
  return (
    <Row className={active ? undefined : "text-muted"}>
      <Td>
        <span className="flex items-center gap-1">
          <code className="text-12">{value.key}</code>
          <CopyButton what={`key ${value.key}`} source={value.key} />
        </span>
      </Td>
      <Td>
        <Badge tone={active ? "ok" : "neutral"}>{active ? "Active" : "Revoked"}</Badge>
      </Td>
      <Td>{value.createTime && <Ago date={toDate(value.createTime)} />}</Td>
      <Td>
        {active ? (
          <SecretText secret={secret} of={`key ${value.key}`} />
        ) : (
          value.revokeTime && (
            <span className="whitespace-nowrap">
              Revoked <Ago date={toDate(value.revokeTime)} />
            </span>
          )
        )}
      </Td>
      <Td className="text-right">
        {active && (
          <Button
            size="sm"
            variant="ghost"
            reason={reason}
            onClick={onRevoke}
            aria-label={`Revoke key ${value.key}`}
          >
            Revoke
          </Button>
        )}
      </Td>
    </Row>
  );
}

function KeysHead() {
  return (
    <Head>
      <Th>Key</Th>
      <Th>State</Th>
      <Th>Created</Th>
      <Th>Secret</Th>
      <Th>
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
                <Td>
                  <Skeleton className="w-14" />
                </Td>
                <Td>
                  <Skeleton className="w-20" />
                </Td>
                <Td>
                  <Skeleton className="w-44" />
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
