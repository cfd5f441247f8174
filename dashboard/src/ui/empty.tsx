import type { ReactNode } from "react";

/** What this is, why nothing is here, and the next step. */
export function Empty({
  icon,
  title,
  children,
  action,
}: {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="flex flex-col items-center rounded-lg border border-line border-dashed px-6 py-12 text-center">
      {icon && (
        <div className="mb-4 flex size-10 items-center justify-center rounded-lg border border-line bg-panel text-muted">
          {icon}
        </div>
      )}
      <h2 className="font-semibold text-16">{title}</h2>
      {children && <div className="mt-1 max-w-md text-14 text-muted">{children}</div>}
      {action && <div className="mt-5 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  );
}
