import { useNavigate } from "@tanstack/react-router";
import { ChevronsUpDown } from "lucide-react";
import type { Account } from "../api/auth";
import { useMyTenants, useSwitchTenant } from "../api/profile";
import { Menu, MenuItem, MenuNote } from "../ui/menu";
import { Name } from "./name";
import { useProblemToast } from "./use-problem-toast";

/** The tenant that the session works in, and the way to the others. With only one there is nothing to switch. */
export function TenantSwitcher({ account, onGo }: { account: Account; onGo?: (() => void) | undefined }) {
  const { tenants = [] } = useMyTenants();
  const change = useSwitchTenant();
  const navigate = useNavigate();
  const tellProblem = useProblemToast();

  async function go(tenantId: string) {
    if (tenantId === account.tenantId) return;
    try {
      // First away from the page, which may be of an app of the tenant before.
      await navigate({ to: "/apps" });
      await change.mutateAsync({ tenantId });
      onGo?.();
    } catch (error) {
      tellProblem("The tenant was not switched", error);
    }
  }

  const face = (
    <>
      <span
        aria-hidden
        className="flex size-7 shrink-0 items-center justify-center rounded-md border border-line bg-raised font-semibold text-13"
      >
        {[...account.tenantName.trim()][0]?.toUpperCase()}
      </span>
      <Name className="font-semibold text-14">{account.tenantName}</Name>
    </>
  );
  if (tenants.length < 2) {
    return <div className="flex h-14 shrink-0 items-center gap-2.5 px-4">{face}</div>;
  }
  return (
    <div className="flex h-14 shrink-0 items-center px-2">
      <Menu
        trigger={
          <button
            type="button"
            className="flex h-10 w-full min-w-0 items-center gap-2.5 rounded-md px-2 text-left hover:bg-hover data-[state=open]:bg-hover"
          >
            <span className="sr-only">Switch tenant, now</span>
            {face}
            <ChevronsUpDown aria-hidden className="ml-auto size-3.5 shrink-0 text-muted" />
          </button>
        }
      >
        <MenuNote>Your tenants</MenuNote>
        {tenants.map((tenant) => (
          <MenuItem
            key={tenant.tenantId}
            checked={tenant.tenantId === account.tenantId}
            onSelect={() => void go(tenant.tenantId)}
          >
            <Name>{tenant.name}</Name>
          </MenuItem>
        ))}
      </Menu>
    </div>
  );
}
