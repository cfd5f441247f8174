import type { ReactNode } from "react";
import { activeFirst, isActive, isRetiring, type Key, works } from "../api/keys";
import { Permission, useReasonAgainst } from "../api/permission";
import { toDate } from "../api/time";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { CopyButton } from "../ui/copy-button";
import { Skeleton } from "../ui/skeleton";
import { Head, Row, Table, Td, Th } from "../ui/table";
import { Ago } from "./ago";
import { KeepKey } from "./keep-key";
import { scopesInWords } from "./key-scopes";
import { SecretText } from "./secret-text";
import { useSecret } from "./use-secret";

type Wishes = { onRotate: (key: Key) => void; onRevoke: (key: Key) => void };

export function KeysTable({ appId, keys, ...wishes }: { appId: string; keys: Key[] } & Wishes) {
  return (
    <Table label="Keys">
      <KeysHead />
      <tbody>
        {activeFirst(keys).map((key) => (
          <KeyRow key={key.key} appId={appId} value={key} {...wishes} />
        ))}
      </tbody>
    </Table>
  );
}

function KeyRow({ appId, value, ...wishes }: { appId: string; value: Key } & Wishes) {
  const secret = useSecret(appId, value.key);
  const usable = works(value);
  const hidden = usable && <SecretText secret={secret} of={`key ${value.key}`} />;
  const actions = usable && <Actions appId={appId} value={value} {...wishes} />;
  return (
    <Row className={usable ? undefined : "text-muted"}>
      {/* A phone has no room for columns: there, this one is as wide as the table and holds the whole row. */}
      <Td className="max-w-56 max-md:max-w-0 max-md:py-2.5 md:py-2">
        {value.label && (
          <bdi className="block truncate font-medium" title={value.label}>
            {value.label}
          </bdi>
        )}
        <span className="flex items-center gap-1">
          <code className="truncate text-12">{value.key}</code>
          <CopyButton what={`key ${value.key}`} source={value.key} />
        </span>
        <div className="flex flex-col gap-1.5 md:hidden">
          {hidden}
          <State value={value} />
          <span className="text-12 text-muted">
            {scopesInWords(value)}, {usable ? <LastUse value={value} /> : "no longer"}
          </span>
          {actions && <span className="-ml-2.5 flex">{actions}</span>}
        </div>
      </Td>
      <Td className="max-md:hidden">
        <State value={value} />
      </Td>
      <Td className="max-md:hidden">{scopesInWords(value)}</Td>
      <Td className="max-md:hidden">
        <LastUse value={value} bare />
      </Td>
      <Td className="max-md:hidden">{hidden}</Td>
      <Td className="max-md:hidden">
        <span className="flex justify-end">{actions}</span>
      </Td>
    </Row>
  );
}

function Actions({ appId, value, onRotate, onRevoke }: { appId: string; value: Key } & Wishes) {
  const reason = useReasonAgainst(Permission.KEYS_WRITE);
  const button = (text: string, onClick: () => void) => (
    <Button
      size="sm"
      variant="ghost"
      reason={reason}
      onClick={onClick}
      aria-label={`${text} key ${value.key}`}
    >
      {text}
    </Button>
  );
  return (
    <>
      {isActive(value) && button("Rotate", () => onRotate(value))}
      {isRetiring(value) && <KeepKey appId={appId} target={value} />}
      {button("Revoke", () => onRevoke(value))}
    </>
  );
}

/** Where the key is in its life, and since or until when. */
function State({ value }: { value: Key }) {
  let badge: ReactNode = <Badge tone="ok">Active</Badge>;
  let when: ReactNode = value.createTime && (
    <>
      created <Ago date={toDate(value.createTime)} />
    </>
  );
  if (isRetiring(value)) {
    badge = <Badge tone="warn">Retiring</Badge>;
    when = value.retireTime && (
      <>
        ends <Ago date={toDate(value.retireTime)} />
      </>
    );
  } else if (!works(value)) {
    badge = <Badge>Revoked</Badge>;
    when = value.revokeTime && <Ago date={toDate(value.revokeTime)} />;
  }
  return (
    <span className="flex items-center gap-2 whitespace-nowrap">
      {badge}
      <span className="text-12 text-muted">{when}</span>
    </span>
  );
}

function LastUse({ value, bare }: { value: Key; bare?: boolean }) {
  if (!value.lastUseTime) return <span className="text-muted">{bare ? "Never" : "never used"}</span>;
  return (
    <>
      {!bare && "used "}
      <Ago date={toDate(value.lastUseTime)} />
    </>
  );
}

function KeysHead() {
  return (
    <Head>
      <Th>Key</Th>
      <Th className="max-md:hidden">State</Th>
      <Th className="max-md:hidden">For</Th>
      <Th className="max-md:hidden">Last used</Th>
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
                  <Skeleton className="w-32" />
                </Td>
                <Td className="max-md:hidden">
                  <Skeleton className="w-20" />
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
