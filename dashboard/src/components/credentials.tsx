import type { ReactNode } from "react";
import type { Edge } from "../api/platform";
import { CopyButton } from "../ui/copy-button";
import { SecretText } from "./secret-text";
import type { Secret } from "./use-secret";

/** What every client and server library asks for. */
export function Credentials({
  appId,
  appKey,
  secret,
  edge,
}: {
  appId: string;
  appKey: string;
  secret: Secret;
  edge: Edge;
}) {
  return (
    <dl className="grid overflow-hidden rounded-lg border border-line text-13 sm:grid-flow-col sm:grid-cols-2 sm:grid-rows-3">
      <Fact name="App id" copy={appId}>
        {appId}
      </Fact>
      <Fact name="Key" copy={appKey}>
        {appKey}
      </Fact>
      <Fact name="Secret">
        <SecretText secret={secret} of={`key ${appKey}`} />
      </Fact>
      <Fact name="Host" copy={edge.host}>
        {edge.host}
      </Fact>
      <Fact name="Port" copy={String(edge.port)}>
        {edge.port}
      </Fact>
      <Fact name="TLS">{edge.tls ? "on" : "off"}</Fact>
    </dl>
  );
}

function Fact({ name, copy, children }: { name: string; copy?: string; children: ReactNode }) {
  return (
    <div className="flex h-10 min-w-0 items-center gap-3 border-line px-4 not-last:border-b sm:nth-[-n+3]:border-r sm:nth-3:border-b-0">
      <dt className="w-14 shrink-0 text-muted">{name}</dt>
      <dd className="flex min-w-0 flex-1 items-center gap-1">
        {copy === undefined ? (
          children
        ) : (
          <>
            <code className="min-w-0 truncate text-12">{children}</code>
            <CopyButton what={name.toLowerCase()} source={copy} />
          </>
        )}
      </dd>
    </div>
  );
}
