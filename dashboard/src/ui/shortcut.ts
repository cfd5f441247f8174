import { useEffect, useEffectEvent } from "react";

export const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** True while the reader types, or while a dialog has the floor: single keys then mean letters. */
function busyTyping(target: EventTarget | null): boolean {
  if (document.querySelector('[role="dialog"], [role="alertdialog"], [role="menu"]')) return true;
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName))
  );
}

/** Calls back on one key. "mod+k" is Cmd K on a Mac and Ctrl K elsewhere, and works while typing too. */
export function useShortcut(key: string, run: () => void): void {
  const fire = useEffectEvent(run);
  useEffect(() => {
    function down(event: KeyboardEvent) {
      if (event.defaultPrevented || event.altKey) return;
      const mod = isMac ? event.metaKey : event.ctrlKey;
      const wanted = key.startsWith("mod+")
        ? mod && event.key.toLowerCase() === key.slice(4)
        : event.key === key;
      if (!wanted) return;
      if (!key.startsWith("mod+") && (event.ctrlKey || event.metaKey || busyTyping(event.target))) return;
      event.preventDefault();
      fire();
    }
    window.addEventListener("keydown", down);
    return () => window.removeEventListener("keydown", down);
  }, [key]);
}
