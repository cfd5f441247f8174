import { Link, useMatches } from "@tanstack/react-router";
import { Menu as MenuIcon, Search } from "lucide-react";
import { Fragment } from "react";
import type { Account } from "../api/auth";
import { IconButton } from "../ui/icon-button";
import { Kbd } from "../ui/kbd";
import { isMac } from "../ui/shortcut";
import { AccountMenu } from "./account-menu";
import { AppSwitcher } from "./app-switcher";
import { Name } from "./name";
import { useOpenApp } from "./open-app";
import { ThemeMenu } from "./theme-menu";

/** Where I am, and what can be done from anywhere. */
export function TopLine({
  account,
  onMenu,
  onSearch,
  onShortcuts,
}: {
  account: Account;
  onMenu: () => void;
  onSearch: () => void;
  onShortcuts: () => void;
}) {
  return (
    <header className="sticky top-0 z-10 flex h-14 items-center gap-1 border-line border-b bg-page px-2 sm:px-4">
      <IconButton
        label="Open the menu"
        icon={<MenuIcon aria-hidden className="size-4" />}
        onClick={onMenu}
        className="lg:hidden"
      />
      <Breadcrumb account={account} />
      <button
        type="button"
        onClick={onSearch}
        className="hidden h-8 w-52 shrink-0 items-center gap-2 rounded-md border border-line bg-panel px-2.5 text-13 text-muted hover:border-line-strong md:flex"
      >
        <Search aria-hidden className="size-3.5" />
        <span className="flex-1 text-left">Go to or do…</span>
        <Kbd>{isMac ? "⌘ K" : "Ctrl K"}</Kbd>
      </button>
      <IconButton
        label="Go to or do"
        icon={<Search aria-hidden className="size-4" />}
        onClick={onSearch}
        className="md:hidden"
      />
      <ThemeMenu />
      <AccountMenu account={account} onShortcuts={onShortcuts} />
    </header>
  );
}

const placeClass = "block rounded-md px-2 py-1 text-muted hover:bg-hover hover:text-ink";

function Breadcrumb({ account }: { account: Account }) {
  const open = useOpenApp();
  const { crumb: page, above } = useMatches().at(-1)?.staticData ?? {};
  return (
    <nav aria-label="Breadcrumb" className="min-w-0 flex-1">
      <ol className="flex min-w-0 items-center text-13">
        {above ? (
          // What is above all tenants does not stand below one.
          above.map(({ to, label }, at) => (
            <Fragment key={label}>
              {at > 0 && <Slash className="hidden sm:block" />}
              <li className={at < above.length - 1 ? "hidden sm:block" : "min-w-0"}>
                <Link to={to} className={placeClass}>
                  {label}
                </Link>
              </li>
            </Fragment>
          ))
        ) : (
          <li className="hidden min-w-0 max-w-48 sm:block">
            <Link to="/apps" className={placeClass}>
              <Name>{account.tenantName}</Name>
            </Link>
          </li>
        )}
        {open && (
          <>
            <Slash className="hidden sm:block" />
            <li className="min-w-0 max-w-64">
              <AppSwitcher app={open} />
            </li>
          </>
        )}
        {page && (
          <>
            <Slash className={open || above ? undefined : "hidden sm:block"} />
            <li aria-current="page" className="shrink-0 truncate px-2 font-medium">
              {page}
            </li>
          </>
        )}
      </ol>
    </nav>
  );
}

function Slash({ className }: { className?: string | undefined }) {
  return (
    <li aria-hidden className={`shrink-0 text-line-strong ${className ?? ""}`}>
      /
    </li>
  );
}
