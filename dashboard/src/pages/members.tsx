import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { MailPlus, UserPlus } from "lucide-react";
import { useState } from "react";
import { useAccount } from "../api/auth";
import {
  type Member,
  useInvitations,
  useLeaveTenant,
  useMembers,
  useRemoveMember,
  useTransferOwnership,
} from "../api/members";
import { Permission, useReasonAgainst } from "../api/permission";
import { InvitationsTable } from "../components/invitations-table";
import { InviteDialog } from "../components/invite-dialog";
import { MembersSkeleton, MembersTable } from "../components/members-table";
import { Page } from "../components/page";
import { LoadProblem } from "../components/problem";
import { useProblemToast } from "../components/use-problem-toast";
import { AlertDialog } from "../ui/alert-dialog";
import { Button } from "../ui/button";
import { Card } from "../ui/card";
import { Empty } from "../ui/empty";
import { useToast } from "../ui/toast";

export function MembersPage() {
  const { tenantName } = useAccount();
  const { members, error, refetch, isFetching } = useMembers();
  const [inviting, setInviting] = useState(false);
  const [removing, setRemoving] = useState<Member>();
  const [receiving, setReceiving] = useState<Member>();
  const notInvite = useReasonAgainst(Permission.MEMBERS_WRITE);

  return (
    <Page
      title="Members"
      context={tenantName}
      description="Who works in this tenant, and what their role lets them do."
      actions={
        <Button
          variant="primary"
          icon={<UserPlus aria-hidden className="size-4" />}
          reason={notInvite}
          onClick={() => setInviting(true)}
        >
          Invite
        </Button>
      }
    >
      <div className="flex flex-col gap-8">
        {members === undefined && error && (
          <LoadProblem what="the members" error={error} onRetry={() => void refetch()} busy={isFetching} />
        )}
        {members === undefined && !error && <MembersSkeleton />}
        {members && <MembersTable members={members} onRemove={setRemoving} onTransfer={setReceiving} />}
        <Invitations />
        {members && <Leave owners={members.filter(({ role }) => role === "owner").length} />}
      </div>
      <InviteDialog open={inviting} onClose={() => setInviting(false)} />
      <Remove member={removing} onClose={() => setRemoving(undefined)} />
      <Transfer member={receiving} onClose={() => setReceiving(undefined)} />
    </Page>
  );
}

function Invitations() {
  const { invitations, error, refetch, isFetching } = useInvitations();
  if (invitations === undefined && error) {
    return (
      <LoadProblem what="the invitations" error={error} onRetry={() => void refetch()} busy={isFetching} />
    );
  }
  if (!invitations) return null;
  return (
    <section className="flex flex-col gap-3">
      <h2 className="font-semibold text-16">Invitations</h2>
      {invitations.length === 0 ? (
        <Empty icon={<MailPlus aria-hidden className="size-5" />} title="Nobody is invited">
          Who is invited gets a link that works for seven days, and stands here until it was followed.
        </Empty>
      ) : (
        <InvitationsTable invitations={invitations} />
      )}
    </section>
  );
}

function Remove({ member, onClose }: { member: Member | undefined; onClose: () => void }) {
  const remove = useRemoveMember();
  const toast = useToast();
  const tellProblem = useProblemToast();
  function run() {
    if (!member) return;
    remove.mutate(
      { userId: member.userId },
      {
        onSuccess: () => toast({ tone: "ok", title: "Member removed", detail: member.email }),
        onError: (error) => tellProblem("The member was not removed", error),
        onSettled: onClose,
      },
    );
  }
  return (
    <AlertDialog
      open={member !== undefined}
      onOpenChange={(open) => open || onClose()}
      title="Remove this member?"
      action="Remove"
      busy={remove.isPending}
      onConfirm={run}
    >
      <p className="break-words font-medium text-ink">{member?.email}</p>
      <p>
        Their sessions in this tenant end at once, and their API tokens and the invitations that they sent
        stop working. Apps and keys stay as they are: a secret that they have seen works until its key is
        revoked.
      </p>
    </AlertDialog>
  );
}

function Transfer({ member, onClose }: { member: Member | undefined; onClose: () => void }) {
  const { tenantName } = useAccount();
  const transfer = useTransferOwnership();
  const toast = useToast();
  const tellProblem = useProblemToast();
  function run() {
    if (!member) return;
    transfer.mutate(
      { userId: member.userId },
      {
        onSuccess: () => toast({ tone: "ok", title: "Ownership transferred", detail: member.email }),
        onError: (error) => tellProblem("The ownership was not transferred", error),
        onSettled: onClose,
      },
    );
  }
  return (
    <AlertDialog
      open={member !== undefined}
      onOpenChange={(open) => open || onClose()}
      title="Transfer ownership?"
      action="Transfer ownership"
      typed={tenantName}
      busy={transfer.isPending}
      onConfirm={run}
    >
      <p>
        <span className="break-words font-medium text-ink">{member?.email}</span> becomes an owner of this
        tenant, and you become an admin. Only an owner can give it back.
      </p>
    </AlertDialog>
  );
}

function Leave({ owners }: { owners: number }) {
  const { role, tenantName } = useAccount();
  const [asking, setAsking] = useState(false);
  const leave = useLeaveTenant();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const tellProblem = useProblemToast();
  const last = role === "owner" && owners === 1;

  async function run() {
    try {
      await leave.mutateAsync({});
    } catch (error) {
      setAsking(false);
      tellProblem("You are still a member", error);
      return;
    }
    // The session was in this tenant, and has ended with it.
    await navigate({ to: "/login", ignoreBlocker: true });
    queryClient.clear();
  }

  return (
    <Card
      title="Leave this tenant"
      description="You lose what you can do here. To come back you have to be invited again."
      footer={
        <>
          <span />
          <Button
            size="sm"
            reason={last ? "A tenant must keep an owner. Make another member an owner first." : undefined}
            onClick={() => setAsking(true)}
          >
            Leave tenant
          </Button>
        </>
      }
    >
      <AlertDialog
        open={asking}
        onOpenChange={setAsking}
        title="Leave this tenant?"
        action="Leave tenant"
        busy={leave.isPending}
        onConfirm={() => void run()}
      >
        <p>
          You are logged out, and your API tokens for <bdi className="text-ink">{tenantName}</bdi> stop
          working. If you belong to another tenant, log in again to work there.
        </p>
      </AlertDialog>
    </Card>
  );
}
