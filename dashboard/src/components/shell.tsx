import { Outlet, useLocation, useRouter } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { useAccount } from "../api/auth";
import { Sheet } from "../ui/sheet";
import { useShortcut } from "../ui/shortcut";
import { CommandPalette } from "./command-palette";
import { ShortcutsDialog } from "./shortcuts-dialog";
import { SideNav } from "./side-nav";
import { SuspendedBanner } from "./suspended-banner";
import { TopLine } from "./top-line";
import { VerifyBanner } from "./verify-banner";

// Few ever see it, so it is no part of the first load.
const ImpersonationBanner = lazy(() =>
  import("./impersonation-banner").then((module) => ({ default: module.ImpersonationBanner })),
);

/** What stands around every page of a signed-in user. */
export function Shell() {
  const account = useAccount();
  const [menu, setMenu] = useState(false);
  const [palette, setPalette] = useState(false);
  const [shortcuts, setShortcuts] = useState(false);
  const main = useFocusAfterNavigation();

  useShortcut("mod+k", () => setPalette(!palette));
  useShortcut("?", () => setShortcuts(true));

  return (
    <div className="lg:grid lg:grid-cols-[15rem_minmax(0,1fr)]">
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-md focus:bg-raised focus:px-3 focus:py-2 focus:text-13 focus:shadow-float"
      >
        Skip to content
      </a>
      <aside className="sticky top-0 hidden h-dvh flex-col border-line border-r bg-panel lg:flex">
        <SideNav account={account} />
      </aside>
      <Sheet open={menu} onOpenChange={setMenu} label="Menu">
        <SideNav account={account} onGo={() => setMenu(false)} />
      </Sheet>
      <div className="flex min-h-dvh min-w-0 flex-col">
        <TopLine
          account={account}
          onMenu={() => setMenu(true)}
          onSearch={() => setPalette(true)}
          onShortcuts={() => setShortcuts(true)}
        />
        <SuspendedBanner account={account} />
        {account.impersonating ? (
          <Suspense>
            <ImpersonationBanner account={account} />
          </Suspense>
        ) : (
          <VerifyBanner account={account} />
        )}
        <main id="main" ref={main} tabIndex={-1} className="flex-1 outline-none">
          <Outlet />
        </main>
      </div>
      <CommandPalette open={palette} onOpenChange={setPalette} onShortcuts={() => setShortcuts(true)} />
      <ShortcutsDialog open={shortcuts} onOpenChange={setShortcuts} />
    </div>
  );
}

/** Moves the focus to the new page, as loading one would, unless the page has put it somewhere itself. */
function useFocusAfterNavigation() {
  const main = useRef<HTMLElement>(null);
  const router = useRouter();
  const { pathname } = useLocation();
  const last = useRef(pathname);
  useEffect(
    () =>
      router.subscribe("onRendered", ({ toLocation }) => {
        if (last.current === toLocation.pathname) return;
        last.current = toLocation.pathname;
        const node = main.current;
        if (node && !node.contains(document.activeElement)) node.focus({ preventScroll: true });
      }),
    [router],
  );
  return main;
}
