import { useNavigate } from "@tanstack/react-router";
import { Keyboard, LogOut } from "lucide-react";
import type { Account } from "../api/auth";
import { Menu, MenuItem, MenuLine, MenuNote } from "../ui/menu";
import { accountPages } from "./account-nav";
import { useLeave } from "./use-leave";

export function AccountMenu({ account, onShortcuts }: { account: Account; onShortcuts: () => void }) {
  const leave = useLeave();
  const navigate = useNavigate();
  const trigger = (
    <button
      type="button"
      aria-label={`Account of ${account.email}`}
      className="ml-1 flex size-8 shrink-0 items-center justify-center rounded-full bg-accent-soft font-semibold text-12 text-accent-text"
    >
      {account.email.charAt(0).toUpperCase()}
    </button>
  );
  return (
    <Menu align="end" trigger={trigger}>
      <MenuNote>
        <span className="block truncate font-medium text-13 text-ink">{account.email}</span>
        <span className="block truncate">
          {account.role} of <bdi>{account.tenantName}</bdi>
        </span>
      </MenuNote>
      <MenuLine />
      {accountPages.map(({ to, label, icon: Icon }) => (
        <MenuItem
          key={to}
          icon={<Icon aria-hidden className="size-4" />}
          onSelect={() => void navigate({ to })}
        >
          {label}
        </MenuItem>
      ))}
      <MenuLine />
      <MenuItem icon={<Keyboard aria-hidden className="size-4" />} onSelect={onShortcuts}>
        Keyboard shortcuts
      </MenuItem>
      <MenuItem icon={<LogOut aria-hidden className="size-4" />} onSelect={() => void leave()}>
        Log out
      </MenuItem>
    </Menu>
  );
}
