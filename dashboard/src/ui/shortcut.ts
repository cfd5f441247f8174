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

function isPressed(key: string, event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.altKey) return false;
  const mod = isMac ? event.metaKey : event.ctrlKey;
  if (key.startsWith("mod+")) return mod && event.key.toLowerCase() === key.slice(4);
  return event.key === key && !event.ctrlKey && !event.metaKey && !busyTyping(event.target);
}

let held: { key: string; pressed: boolean; stop: () => void } | undefined;

/** Keeps a press of the key, while the page is still loading, for the part of the page that will listen to it. */
export function holdShortcut(key: string): void {
  function down(event: KeyboardEvent) {
    if (!held || !isPressed(key, event)) return;
    event.preventDefault();
    held.pressed = true;
  }
  dropShortcut();
  window.addEventListener("keydown", down);
  held = { key, pressed: false, stop: () => window.removeEventListener("keydown", down) };
}

/** The page has come, and does not listen: the key goes back to the browser. */
export function dropShortcut(): void {
  held?.stop();
  held = undefined;
}

/** Calls back on one key. "mod+k" is Cmd K on a Mac and Ctrl K elsewhere, and works while typing too. */
export function useShortcut(key: string, run: () => void): void {
  const fire = useEffectEvent(run);
  useEffect(() => {
    function down(event: KeyboardEvent) {
      if (!isPressed(key, event)) return;
      event.preventDefault();
      fire();
    }
    window.addEventListener("keydown", down);
    if (held?.key === key) {
      const { pressed } = held;
      dropShortcut();
      if (pressed) fire();
    }
    return () => window.removeEventListener("keydown", down);
  }, [key]);
}
