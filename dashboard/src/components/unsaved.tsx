import { useBlocker } from "@tanstack/react-router";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useState } from "react";
import { AlertDialog } from "../ui/alert-dialog";

const Report = createContext<(section: string, dirty: boolean) => void>(() => {});

/** Tells the guard around the page that a section has changes that are not saved. */
export function useUnsaved(section: string, dirty: boolean) {
  const report = useContext(Report);
  useEffect(() => {
    report(section, dirty);
    return () => report(section, false);
  }, [report, section, dirty]);
}

/** Asks before a page with unsaved changes is left, for another page or for good. */
export function UnsavedGuard({ children }: { children: ReactNode }) {
  const [sections, setSections] = useState<readonly string[]>([]);
  const report = useCallback((section: string, dirty: boolean) => {
    setSections((now) => {
      if (now.includes(section) === dirty) return now;
      return dirty ? [...now, section] : now.filter((other) => other !== section);
    });
  }, []);
  const unsaved = sections.length > 0;
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: ({ current, next }) => unsaved && current.pathname !== next.pathname,
    enableBeforeUnload: () => unsaved,
    withResolver: true,
  });
  return (
    <Report value={report}>
      {children}
      <AlertDialog
        open={status === "blocked"}
        onOpenChange={(open) => open || reset?.()}
        title="Leave without saving?"
        action="Leave"
        cancel="Stay"
        busy={false}
        onConfirm={() => proceed?.()}
      >
        <p>
          What you changed under <span className="text-ink">{inWords(sections)}</span> is lost.
        </p>
      </AlertDialog>
    </Report>
  );
}

function inWords(names: readonly string[]): string {
  return new Intl.ListFormat("en", { type: "conjunction" }).format(names);
}
