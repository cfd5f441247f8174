import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { cx } from "./cx";
import { IconButton } from "./icon-button";

export const veilClass = "fixed inset-0 z-40 animate-appear bg-veil";

export const panelClass = cx(
  "fixed top-1/2 left-1/2 z-50 max-h-[calc(100dvh-2rem)] w-[calc(100vw-2rem)] max-w-md -translate-x-1/2 -translate-y-1/2",
  "overflow-y-auto rounded-xl bg-raised p-5 shadow-float",
);

export function Dialog({
  open,
  onOpenChange,
  title,
  children,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  children: ReactNode;
}) {
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={veilClass} />
        <Radix.Content aria-describedby={undefined} className={panelClass}>
          <div className="mb-4 flex items-start justify-between gap-4">
            <Radix.Title className="font-semibold text-16">{title}</Radix.Title>
            <Radix.Close asChild>
              <IconButton plain size="sm" label="Close" icon={<X aria-hidden className="size-4" />} />
            </Radix.Close>
          </div>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
