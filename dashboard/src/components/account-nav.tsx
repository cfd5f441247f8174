import { Link } from "@tanstack/react-router";
import { KeySquare, type LucideIcon, MonitorSmartphone, ShieldCheck, User } from "lucide-react";
import type { ReactNode } from "react";
import { Page } from "./page";

/** The pages about the person who is signed in, whatever the tenant. */
export const accountPages = [
  { to: "/profile", label: "Profile", icon: User },
  { to: "/sessions", label: "Sessions", icon: MonitorSmartphone },
  { to: "/two-factor", label: "Two-factor login", icon: ShieldCheck },
  { to: "/tokens", label: "API tokens", icon: KeySquare },
] as const satisfies { to: string; label: string; icon: LucideIcon }[];

/** The frame of those pages, with the way from one to the other. */
export function AccountPage({
  title,
  description,
  actions,
  narrow,
  children,
}: {
  title: string;
  description?: ReactNode;
  actions?: ReactNode;
  narrow?: boolean;
  children: ReactNode;
}) {
  return (
    <Page title={title} description={description} actions={actions}>
      <nav
        aria-label="Your account"
        className="-mt-2 mb-6 flex gap-1 overflow-x-auto border-line border-b pb-2"
      >
        {accountPages.map(({ to, label }) => (
          <Link
            key={to}
            to={to}
            className="flex h-8 shrink-0 items-center rounded-md px-2.5 font-medium text-13 text-muted -outline-offset-2 hover:bg-hover hover:text-ink aria-[current=page]:bg-active aria-[current=page]:text-ink"
          >
            {label}
          </Link>
        ))}
      </nav>
      <div className={narrow ? "max-w-2xl" : undefined}>{children}</div>
    </Page>
  );
}
