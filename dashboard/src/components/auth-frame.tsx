import { type ReactNode, useEffect } from "react";
import { dropShortcut } from "../ui/shortcut";
import { Mark } from "./logo";
import { useTitle } from "./page";
import { ThemeMenu } from "./theme-menu";

/** The frame of the pages before the dashboard. */
export function AuthFrame({
  title,
  other,
  children,
}: {
  title: string;
  other: ReactNode;
  children: ReactNode;
}) {
  useTitle(title);
  // There is no palette before the login.
  useEffect(dropShortcut, []);
  return (
    <div className="flex min-h-dvh flex-col bg-panel">
      <header className="flex h-14 shrink-0 items-center justify-between px-4 sm:px-6">
        <span className="flex items-center gap-2.5 font-semibold text-16 tracking-tight">
          <Mark />
          Peal
        </span>
        <ThemeMenu />
      </header>
      <main className="flex flex-1 flex-col items-center px-4 pt-6 pb-24 sm:justify-center sm:pt-0">
        <div className="w-full max-w-sm">
          <div className="rounded-xl border border-line bg-page p-6 sm:p-8">
            <h1 className="mb-6 font-semibold text-20 tracking-tight">{title}</h1>
            {children}
          </div>
          <p className="mt-5 text-center text-13 text-muted">{other}</p>
        </div>
      </main>
    </div>
  );
}

export const textLink = "rounded-sm font-medium text-accent-text underline-offset-4 hover:underline";
