import { useNavigate } from "@tanstack/react-router";
import { ChevronsUpDown, List, Plus } from "lucide-react";
import { type App, useApps } from "../api/apps";
import { Menu, MenuItem, MenuLine } from "../ui/menu";
import { useAppPage } from "./app-page";
import { Name } from "./name";

const most = 12;

/** Goes to another app and stays on the same page of it. */
export function AppSwitcher({ app }: { app: App }) {
  const { apps = [], hasNextPage } = useApps();
  const navigate = useNavigate();
  const page = useAppPage();
  const trigger = (
    <button
      type="button"
      className="flex w-full min-w-0 items-center gap-1 rounded-md py-1 pr-1 pl-2 hover:bg-hover data-[state=open]:bg-hover"
    >
      <span className="sr-only">Switch app, now</span>
      <Name className="font-medium">{app.name}</Name>
      <ChevronsUpDown aria-hidden className="size-3.5 shrink-0 text-muted" />
    </button>
  );
  return (
    <Menu trigger={trigger}>
      {apps.slice(0, most).map((other) => (
        <MenuItem
          key={other.id}
          checked={other.id === app.id}
          onSelect={() => void navigate({ to: page, params: { appId: other.id } })}
        >
          <Name>{other.name}</Name>
        </MenuItem>
      ))}
      <MenuLine />
      <MenuItem
        icon={<List aria-hidden className="size-4" />}
        onSelect={() => void navigate({ to: "/apps" })}
      >
        {apps.length > most || hasNextPage ? "All apps" : "List of apps"}
      </MenuItem>
      <MenuItem
        icon={<Plus aria-hidden className="size-4" />}
        onSelect={() => void navigate({ to: "/apps/new" })}
      >
        Create app
      </MenuItem>
    </Menu>
  );
}
