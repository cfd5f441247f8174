import { Permission } from "../gen/peal/admin/v1/permission_pb";
import { useAccount } from "./auth";

export { Permission };

/** Why the caller may not do this, or undefined when they may. Fits the `reason` of a button. */
export function useReasonAgainst(permission: Permission): string | undefined {
  const { role, permissions, suspendedFor } = useAccount();
  if (permissions.includes(permission)) return undefined;
  if (suspendedFor) return "This tenant is suspended. Until it is resumed, its members can only look.";
  return `Your role, ${role}, does not allow this. Ask an owner or an admin.`;
}
