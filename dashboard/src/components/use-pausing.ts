import { useEffect, useState } from "react";

/** A text that is told when nothing was typed for a moment, and follows the address when that changes. */
export function usePausing(value: string, tell: (value: string) => void): [string, (value: string) => void] {
  const [typed, setTyped] = useState({ text: value, from: value });
  const text = typed.from === value ? typed.text : value;
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => tell(text), 300);
    return () => clearTimeout(timer);
  });
  return [text, (next) => setTyped({ text: next, from: value })];
}
