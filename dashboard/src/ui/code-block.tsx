import { Check, Copy } from "lucide-react";
import { Button } from "./button";
import { highlight, type Language, type Token } from "./highlight";
import { type Copyable, useCopy } from "./use-copy";

const colours: Record<Token["kind"], string> = {
  plain: "",
  comment: "text-faint",
  string: "text-ok",
  keyword: "text-accent-text",
  number: "text-warn",
};

/** Code to read and to take away. What is copied may differ from what is shown, so that a secret can stay hidden. */
export function CodeBlock({
  title,
  language,
  code,
  source = code,
}: {
  title: string;
  language: Language;
  code: string;
  source?: Copyable;
}) {
  const { copy, copied } = useCopy(source);
  let offset = 0;
  const spans = highlight(code, language).map((token) => {
    const key = offset;
    offset += token.text.length;
    return (
      <span key={key} className={colours[token.kind]}>
        {token.text}
      </span>
    );
  });
  return (
    <figure className="overflow-hidden rounded-lg border border-line bg-panel">
      <figcaption className="flex h-10 items-center justify-between gap-2 border-line border-b pr-1 pl-4 text-12 text-muted">
        <span className="truncate font-mono">{title}</span>
        <Button
          size="sm"
          variant="ghost"
          aria-label={`Copy ${title}`}
          onClick={copy}
          icon={
            copied ? (
              <Check aria-hidden className="size-3.5 text-ok" />
            ) : (
              <Copy aria-hidden className="size-3.5" />
            )
          }
        >
          {copied ? "Copied" : "Copy"}
        </Button>
      </figcaption>
      <span role="status" className="sr-only">
        {copied ? `Copied ${title}` : ""}
      </span>
      {/* Focusable, because it scrolls sideways and the keyboard must be able to scroll it. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: see above */}
      <section tabIndex={0} aria-label={title} className="overflow-x-auto -outline-offset-2">
        <pre className="w-max min-w-full px-4 py-3 text-13 leading-5">
          <code>{spans}</code>
        </pre>
      </section>
    </figure>
  );
}
