import { Permission, useReasonAgainst } from "../api/permission";
import type { Edge } from "../api/platform";
import { Callout } from "../ui/callout";
import { CodeBlock } from "../ui/code-block";
import { Tabs } from "../ui/tabs";
import { snippets } from "./snippets";
import { dots, type Secret } from "./use-secret";

/** The code for each library. The secret is shown as dots until it is revealed, but copied as it is. */
export function SnippetTabs({
  appId,
  appKey,
  secret,
  edge,
  value,
  onChange,
}: {
  appId: string;
  appKey: string;
  secret: Secret;
  edge: Edge;
  value: string;
  onChange: (id: string) => void;
}) {
  const mayNotReveal = useReasonAgainst(Permission.KEYS_REVEAL);
  const facts = { appId, key: appKey, ...edge };
  const all = snippets({ ...facts, secret: secret.visible ?? dots });
  const current = all.find((snippet) => snippet.id === value) ?? all[0];
  if (!current) return null;

  async function withSecret(index: number): Promise<string | null> {
    const real = mayNotReveal ? "your-secret" : await secret.fetch();
    if (real === null) return null;
    const filled = snippets({ ...facts, secret: real }).find((snippet) => snippet.id === current?.id);
    return filled?.blocks[index]?.code ?? null;
  }

  return (
    <Tabs label="Library" tabs={all} value={current.id} onChange={onChange}>
      <div className="flex flex-col gap-3">
        {current.role === "client" && (
          <Callout>
            This code listens. Publish from one of the server tabs, or send a test event from this page.
          </Callout>
        )}
        {current.blocks.map((block, index) => (
          <CodeBlock
            key={block.title}
            {...block}
            source={block.code.includes(dots) ? () => withSecret(index) : block.code}
          />
        ))}
        <p className="text-13 text-muted">
          {current.role === "client"
            ? "Runs in the browser. It needs only the key, which may be public."
            : "Runs on your server. Keep the secret there: who has it can publish in your name."}
          {current.role === "server" &&
            mayNotReveal &&
            ` The copied code has a placeholder for it. ${mayNotReveal}`}
        </p>
      </div>
    </Tabs>
  );
}
