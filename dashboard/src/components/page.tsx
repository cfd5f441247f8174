import { type ReactNode, useEffect } from "react";
import { cx } from "../ui/cx";

export function useTitle(...parts: (string | undefined)[]) {
  const title = [...parts.filter(Boolean), "Peal"].join(" · ");
  useEffect(() => {
    document.title = title;
  }, [title]);
}

/** The frame of every page: heading, what can be done here, content. */
export function Page({
  title,
  description,
  actions,
  narrow,
  context,
  children,
}: {
  title: string;
  description?: ReactNode;
  actions?: ReactNode;
  narrow?: boolean;
  /** What the page is about, for the title of the browser tab. */
  context?: string | undefined;
  children: ReactNode;
}) {
  useTitle(title, context);
  return (
    <div className="mx-auto w-full max-w-6xl px-4 py-6 sm:px-8 sm:py-8">
      <header className="mb-6 flex flex-wrap items-start justify-between gap-x-6 gap-y-4">
        <div className="min-w-0">
          <h1 className="break-words font-semibold text-20 tracking-tight">
            <bdi>{title}</bdi>
          </h1>
          {description && <p className="mt-1 max-w-2xl text-14 text-muted">{description}</p>}
        </div>
        {actions && <div className="flex shrink-0 gap-2">{actions}</div>}
      </header>
      {/* The left edge stays where it is from page to page. */}
      <div className={cx(narrow && "max-w-2xl")}>{children}</div>
    </div>
  );
}
