import { Ellipsis } from "lucide-react";
import { type Member, type RoleName, roles, useChangeRole } from "../api/members";
import { Permission, useReasonAgainst } from "../api/permission";
import { toDate } from "../api/time";
import { Badge } from "../ui/badge";
import { IconButton } from "../ui/icon-button";
import { Menu, MenuItem } from "../ui/menu";
import { Select } from "../ui/select";
import { Skeleton } from "../ui/skeleton";
import { Head, Row, Table, Td, Th } from "../ui/table";
import { useToast } from "../ui/toast";
import { Ago } from "./ago";
import { useGivableRoles } from "./invite-dialog";
import { Name } from "./name";
import { useProblemToast } from "./use-problem-toast";

type Asked = (member: Member) => void;

export function MembersTable({
  members,
  onRemove,
  onTransfer,
}: {
  members: Member[];
  onRemove: Asked;
  onTransfer: Asked;
}) {
  return (
    <Table label="Members" className="table-fixed">
      <MembersHead />
      <tbody>
        {members.map((member) => (
          <MemberRow
            key={member.userId}
            member={member}
            onRemove={() => onRemove(member)}
            onTransfer={() => onTransfer(member)}
          />
        ))}
      </tbody>
    </Table>
  );
}

function MemberRow({
  member,
  onRemove,
  onTransfer,
}: {
  member: Member;
  onRemove: () => void;
  onTransfer: () => void;
}) {
  const notTransfer = useReasonAgainst(Permission.TENANT_TRANSFER);
  const mayChange = useMayChange(member);
  const transferable = notTransfer === undefined && !member.self;
  return (
    <Row>
      <Td>
        <span className="flex min-w-0 items-center gap-x-2 max-sm:flex-wrap max-sm:py-1">
          <Name className="font-medium max-sm:whitespace-normal max-sm:break-all">{member.email}</Name>
          {member.self && <Badge>You</Badge>}
        </span>
      </Td>
      <Td className="py-0.5 max-sm:px-2">
        {mayChange ? <RoleSelect member={member} /> : roleLabel(member.role)}
      </Td>
      <Td className="max-md:hidden">
        {member.secondFactor ? <Badge tone="ok">On</Badge> : <Badge>Off</Badge>}
      </Td>
      <Td className="text-muted max-md:hidden">
        {member.joinTime && <Ago date={toDate(member.joinTime)} />}
      </Td>
      <Td className="px-1 text-right">
        {(mayChange || transferable) && !member.self && (
          <Menu
            align="end"
            trigger={
              <IconButton
                size="sm"
                label={`More about ${member.email}`}
                icon={<Ellipsis aria-hidden className="size-4" />}
              />
            }
          >
            {transferable && <MenuItem onSelect={onTransfer}>Transfer ownership</MenuItem>}
            {mayChange && <MenuItem onSelect={onRemove}>Remove from tenant</MenuItem>}
          </Menu>
        )}
      </Td>
    </Row>
  );
}

export const roleLabel = (role: string) => roles.find(({ value }) => value === role)?.label ?? role;

/** Nobody changes who is more than they are. */
function useMayChange(member: Member): boolean {
  const not = useReasonAgainst(Permission.MEMBERS_WRITE);
  const givable = useGivableRoles();
  return not === undefined && givable.some(({ value }) => value === member.role);
}

function RoleSelect({ member }: { member: Member }) {
  const givable = useGivableRoles();
  const change = useChangeRole();
  const toast = useToast();
  const tellProblem = useProblemToast();
  function choose(role: RoleName) {
    change.mutate(
      { userId: member.userId, role },
      {
        onSuccess: () => toast({ tone: "ok", title: "Role changed", detail: `${member.email}: ${role}` }),
        onError: (error) => tellProblem("The role was not changed", error),
      },
    );
  }
  const now = givable.find(({ value }) => value === member.role);
  if (!now) return roleLabel(member.role);
  return (
    <Select
      aria-label={`Role of ${member.email}`}
      choices={givable}
      value={now.value}
      onChange={choose}
      className="block w-36 max-w-full"
    />
  );
}

function MembersHead() {
  return (
    <Head>
      <Th>Email</Th>
      <Th className="w-44 max-sm:w-40">Role</Th>
      <Th className="w-32 max-md:hidden">Two-factor</Th>
      <Th className="w-40 max-md:hidden">Joined</Th>
      <Th className="w-11 px-1">
        <span className="sr-only">Actions</span>
      </Th>
    </Head>
  );
}

export function MembersSkeleton() {
  return (
    <>
      <p role="status" className="sr-only">
        Loading members
      </p>
      <div aria-hidden>
        <Table label="Loading" className="table-fixed">
          <MembersHead />
          <tbody>
            {["w-44", "w-40", "w-52"].map((width) => (
              <Row key={width}>
                <Td>
                  <Skeleton className={`${width} max-w-full`} />
                </Td>
                <Td>
                  <Skeleton className="w-20" />
                </Td>
                <Td className="max-md:hidden">
                  <Skeleton className="w-10" />
                </Td>
                <Td className="max-md:hidden">
                  <Skeleton className="w-20" />
                </Td>
                <Td />
              </Row>
            ))}
          </tbody>
        </Table>
      </div>
    </>
  );
}
