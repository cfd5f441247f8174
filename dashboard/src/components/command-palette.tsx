import { useNavigate } from "@tanstack/react-router";
import { Box, Boxes, Keyboard, LogOut, Plus } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import { type KeyboardEvent, type ReactNode, useId, useState } from "react";
import { useApps } from "../api/apps";
import { useAccount } from "../api/auth";
import { cx } from "../ui/cx";
import { veilClass } from "../ui/dialog";
import { setTheme } from "../ui/theme";
import { accountPages } from "./account-nav";
import { matches } from "./matches";
import { useOpenApp } from "./open-app";
import { appPages, platformPages, tenantPages } from "./side-nav";
import { themes } from "./theme-menu";
import { useLeave } from "./use-leave";

type Command = { id: string; group: string; label: string; icon: ReactNode; run: () => void };

/** Goes anywhere and does the common things without the pointer. */
export function CommandPalette({
  open,
  onOpenChange,
  onShortcuts,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onShortcuts: () => void;
}) {
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={veilClass} />
        <Radix.Content
          aria-describedby={undefined}
          className="fixed top-[12dvh] left-1/2 z-50 flex max-h-[70dvh] w-[calc(100vw-2rem)] max-w-lg -translate-x-1/2 flex-col overflow-hidden rounded-xl bg-raised shadow-float outline-none"
        >
          <Radix.Title className="sr-only">Go to or do</Radix.Title>
          <Palette onDone={() => onOpenChange(false)} onShortcuts={onShortcuts} />
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

function Palette({ onDone, onShortcuts }: { onDone: () => void; onShortcuts: () => void }) {
  const listId = useId();
  const [query, setQuery] = useState("");
  const [index, setIndex] = useState(0);
  const found = useCommands(onShortcuts).filter((command) =>
    matches(query, `${command.group} ${command.label}`),
  );
  const current = found[Math.min(index, found.length - 1)];

  function run(command: Command | undefined) {
    if (!command) return;
    onDone();
    command.run();
  }

  function onKeyDown(event: KeyboardEvent) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && found.length > 0) {
      event.preventDefault();
      setIndex((Math.min(index, found.length - 1) + step + found.length) % found.length);
    }
    if (event.key === "Enter" && !event.nativeEvent.isComposing) {
      event.preventDefault();
      run(current);
    }
  }

  return (
    <>
      <input
        role="combobox"
        aria-label="Go to or do"
        aria-expanded
        aria-controls={listId}
        aria-activedescendant={current ? `${listId}-${current.id}` : undefined}
        autoComplete="off"
        spellCheck={false}
        placeholder="Type the name of a page, an app or an action"
        value={query}
        onChange={(event) => {
          setQuery(event.target.value);
          setIndex(0);
        }}
        onKeyDown={onKeyDown}
        className="h-12 shrink-0 border-line border-b bg-transparent px-4 text-16 outline-none placeholder:text-faint sm:text-14"
      />
      <div id={listId} role="listbox" aria-label="Found" className="overflow-y-auto p-1.5">
        {found.map((command, at) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are handled at the input, which keeps the focus
          <div
            key={command.id}
            id={`${listId}-${command.id}`}
            role="option"
            tabIndex={-1}
            aria-selected={command === current}
            onClick={() => run(command)}
            onPointerMove={() => setIndex(at)}
            ref={command === current ? (row) => row?.scrollIntoView({ block: "nearest" }) : undefined}
            className={cx(
              "flex h-9 cursor-default items-center gap-2.5 rounded-md px-2.5 text-13",
              command === current && "bg-hover",
            )}
          >
            <span className="text-muted">{command.icon}</span>
            <bdi className="min-w-0 flex-1 truncate text-left">{command.label}</bdi>
            <span className="shrink-0 text-12 text-muted">{command.group}</span>
          </div>
        ))}
      </div>
      {found.length === 0 && <p className="px-4 pt-3 pb-5 text-13 text-muted">Nothing is named like that.</p>}
    </>
  );
}

function useCommands(onShortcuts: () => void): Command[] {
  const navigate = useNavigate();
  const leave = useLeave();
  const openApp = useOpenApp();
  const { apps = [] } = useApps();
  const { operator } = useAccount();
  const icon = (Icon: typeof Box) => <Icon aria-hidden className="size-4" />;

  const pages: Command[] = openApp
    ? appPages.map(({ to, label, icon: Icon }) => ({
        id: to,
        group: openApp.name.length > 24 ? "This app" : openApp.name,
        label,
        icon: icon(Icon),
        run: () => void navigate({ to, params: { appId: openApp.id } }),
      }))
    : [];
  return [
    ...pages,
    {
      id: "apps",
      group: "Page",
      label: "Apps",
      icon: icon(Boxes),
      run: () => void navigate({ to: "/apps" }),
    },
    ...tenantPages.map(({ to, label, icon: Icon }) => ({
      id: to,
      group: "Page",
      label: to === "/usage" ? "Usage of all apps" : label,
      icon: icon(Icon),
      run: () => void navigate({ to }),
    })),
    ...(operator ? platformPages : []).map(({ to, label, icon: Icon }) => ({
      id: to,
      group: "Platform",
      label,
      icon: icon(Icon),
      run: () => void navigate({ to }),
    })),
    ...accountPages.map(({ to, label, icon: Icon }) => ({
      id: to,
      group: "You",
      label,
      icon: icon(Icon),
      run: () => void navigate({ to }),
    })),
    {
      id: "new",
      group: "Action",
      label: "Create app",
      icon: icon(Plus),
      run: () => void navigate({ to: "/apps/new" }),
    },
    ...apps.map((app) => ({
      id: `app-${app.id}`,
      group: "App",
      label: app.name,
      icon: icon(Box),
      run: () => void navigate({ to: "/apps/$appId/start", params: { appId: app.id } }),
    })),
    ...themes.map((theme) => ({
      id: `theme-${theme.value}`,
      group: "Theme",
      label: theme.label,
      icon: theme.icon,
      run: () => setTheme(theme.value),
    })),
    { id: "shortcuts", group: "Help", label: "Keyboard shortcuts", icon: icon(Keyboard), run: onShortcuts },
    { id: "leave", group: "Action", label: "Log out", icon: icon(LogOut), run: () => void leave() },
  ];
}
