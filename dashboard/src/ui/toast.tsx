import { CircleAlert, CircleCheck, X } from "lucide-react";
import { Toast as Radix } from "radix-ui";
import { createContext, type ReactNode, useCallback, useContext, useState } from "react";
import { IconButton } from "./icon-button";

type Toast = { id: number; tone: "ok" | "bad"; title: string; detail?: string | undefined };
type Show = (toast: Omit<Toast, "id">) => void;

const ToastContext = createContext<Show>(() => {});

/** Says what happened where the page itself does not show it. Announced politely; F8 moves the focus there. */
export function useToast(): Show {
  return useContext(ToastContext);
}

export function ToastProvider({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<Toast[]>([]);
  const show = useCallback<Show>((toast) => {
    setToasts((all) => [...all.slice(-2), { ...toast, id: (all.at(-1)?.id ?? 0) + 1 }]);
  }, []);
  const close = (id: number) => setToasts((all) => all.filter((toast) => toast.id !== id));

  return (
    <ToastContext value={show}>
      <Radix.Provider swipeDirection="right" duration={5000}>
        {children}
        {toasts.map((toast) => (
          <Radix.Root
            key={toast.id}
            type="background"
            // A mistake is worth more time than a confirmation.
            duration={toast.tone === "bad" ? 10_000 : 5000}
            onOpenChange={(open) => open || close(toast.id)}
            className="flex animate-appear items-start gap-2.5 rounded-lg bg-raised py-2.5 pr-2 pl-3 shadow-float"
          >
            {toast.tone === "ok" ? (
              <CircleCheck aria-hidden className="mt-1 size-4 shrink-0 text-ok" />
            ) : (
              <CircleAlert aria-hidden className="mt-1 size-4 shrink-0 text-bad" />
            )}
            <div className="min-w-0 flex-1 py-0.5 text-13">
              <Radix.Title className="break-words font-medium">{toast.title}</Radix.Title>
              {toast.detail && (
                <Radix.Description className="break-words text-muted">{toast.detail}</Radix.Description>
              )}
            </div>
            <Radix.Close asChild>
              <IconButton plain size="sm" label="Dismiss" icon={<X aria-hidden className="size-4" />} />
            </Radix.Close>
          </Radix.Root>
        ))}
        <Radix.Viewport className="fixed right-4 bottom-4 z-50 flex w-88 max-w-[calc(100vw-2rem)] flex-col gap-2 outline-none" />
      </Radix.Provider>
    </ToastContext>
  );
}
