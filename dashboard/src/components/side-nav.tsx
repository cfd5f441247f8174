import { Link } from "@tanstack/react-router";
import {
  Boxes,
  Building2,
  ChartLine,
  KeyRound,
  Layers,
  type LucideIcon,
  Rocket,
  ScrollText,
  Settings2,
  Users,
} from "lucide-react";
import type { Account } from "../api/auth";
import { usePlatform } from "../api/platform";
import { cx } from "../ui/cx";
import { Name } from "./name";
import { useOpenApp } from "./open-app";
import { TenantSwitcher } from "./tenant-switcher";

const linkClass = cx(
  "flex h-9 items-center gap-2.5 rounded-md px-2.5 font-medium text-13 text-muted transition-colors duration-100",
  "hover:bg-hover hover:text-ink aria-[current=page]:bg-active aria-[current=page]:text-ink",
);

/** The pages of an app, in the order in which they are needed. */
export const appPages = [
  { to: "/apps/$appId/start", label: "Get started", icon: Rocket },
  { to: "/apps/$appId/keys", label: "Keys", icon: KeyRound },
  { to: "/apps/$appId/usage", label: "Usage", icon: ChartLine },
  { to: "/apps/$appId/settings", label: "Settings", icon: Settings2 },
] as const satisfies { to: string; label: string; icon: LucideIcon }[];

/** The pages of the tenant, beside its apps. */
export const tenantPages = [
  { to: "/usage", label: "Usage", icon: ChartLine },
  { to: "/members", label: "Members", icon: Users },
  { to: "/audit", label: "Audit", icon: ScrollText },
] as const satisfies { to: string; label: string; icon: LucideIcon }[];

/** The pages of operators, above all tenants. */
export const platformPages = [
  { to: "/platform/tenants", label: "Tenants", icon: Building2 },
  { to: "/platform/plans", label: "Plans", icon: Layers },
] as const satisfies { to: string; label: string; icon: LucideIcon }[];

export function SideNav({ account, onGo }: { account: Account; onGo?: () => void }) {
  const open = useOpenApp();
  const { version } = usePlatform();
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <TenantSwitcher account={account} onGo={onGo} />
      <nav aria-label="Main" className="flex min-h-0 flex-1 flex-col gap-0.5 overflow-y-auto px-3 py-2">
        {/* Exact: inside an app its own pages are the current ones. */}
        <Link to="/apps" activeOptions={{ exact: true }} className={linkClass} onClick={onGo}>
          <Boxes aria-hidden className="size-4" />
          Apps
        </Link>
        {tenantPages.map(({ to, label, icon: Icon }) => (
          <Link key={to} to={to} className={linkClass} onClick={onGo}>
            <Icon aria-hidden className="size-4" />
            {label}
          </Link>
        ))}
        {open && (
          <>
            <div className="mt-5 mb-1 px-2.5 font-medium text-12 text-faint">
              <Name>{open.name}</Name>
            </div>
            {appPages.map(({ to, label, icon: Icon }) => (
              <Link key={to} to={to} params={{ appId: open.id }} className={linkClass} onClick={onGo}>
                <Icon aria-hidden className="size-4" />
                {label}
              </Link>
            ))}
          </>
        )}
        {account.operator && (
          <>
            <div className="mt-5 mb-1 px-2.5 font-medium text-12 text-faint">Platform</div>
            {platformPages.map(({ to, label, icon: Icon }) => (
              <Link key={to} to={to} className={linkClass} onClick={onGo}>
                <Icon aria-hidden className="size-4" />
                {label}
              </Link>
            ))}
          </>
        )}
      </nav>
      <p className="shrink-0 truncate px-5 py-4 text-12 text-faint">Peal {version}</p>
    </div>
  );
}
