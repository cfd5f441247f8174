import { Tabs as Radix } from "radix-ui";
import type { ReactNode } from "react";

export type Tab = { id: string; label: string };

function keepInSight(node: HTMLElement | null) {
  const row = node?.parentElement;
  if (!node || !row) return;
  // By hand, because scrollIntoView would scroll the page as well.
  const start = node.offsetLeft - row.offsetLeft;
  if (start < row.scrollLeft || start + node.offsetWidth > row.scrollLeft + row.clientWidth) {
    row.scrollLeft = start - (row.clientWidth - node.offsetWidth) / 2;
  }
}

/** A row of tabs over one panel. On a narrow screen the row scrolls sideways. */
export function Tabs({
  label,
  tabs,
  value,
  onChange,
  children,
}: {
  label: string;
  tabs: readonly Tab[];
  value: string;
  onChange: (id: string) => void;
  children: ReactNode;
}) {
  return (
    <Radix.Root value={value} onValueChange={onChange}>
      <Radix.List
        aria-label={label}
        className="-mb-px flex gap-1 overflow-x-auto border-line border-b pt-0.5 [scrollbar-width:none]"
      >
        {tabs.map((tab) => (
          <Radix.Trigger
            key={tab.id}
            value={tab.id}
            ref={tab.id === value ? keepInSight : undefined}
            className="-mb-px h-9 shrink-0 whitespace-nowrap border-transparent border-b-2 px-2.5 font-medium text-13 text-muted -outline-offset-2 hover:text-ink data-[state=active]:border-accent-text data-[state=active]:text-ink"
          >
            {tab.label}
          </Radix.Trigger>
        ))}
      </Radix.List>
      <Radix.Content value={value} tabIndex={-1} className="pt-4">
        {children}
      </Radix.Content>
    </Radix.Root>
  );
}
