import { useSyncExternalStore } from "react";

export type ThemeChoice = "system" | "light" | "dark";

// The key and the attribute are those of public/theme.js, which sets the theme before the first paint.
const storageKey = "peal-theme";
const systemDark = () => matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

function read(): ThemeChoice {
  try {
    const value = localStorage.getItem(storageKey);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system";
  }
}

function paint(): void {
  const choice = read();
  const dark = choice === "dark" || (choice === "system" && systemDark().matches);
  document.documentElement.dataset["theme"] = dark ? "dark" : "light";
}

export function setTheme(choice: ThemeChoice): void {
  try {
    localStorage.setItem(storageKey, choice);
  } catch {
    // Without storage the choice cannot be kept; the system goes on deciding.
  }
  paint();
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  const query = systemDark();
  query.addEventListener("change", paint);
  return () => {
    listeners.delete(listener);
    query.removeEventListener("change", paint);
  };
}

export function useTheme(): ThemeChoice {
  return useSyncExternalStore(subscribe, read);
}
