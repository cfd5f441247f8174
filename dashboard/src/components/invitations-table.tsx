import { useState } from "react";
import { type Invitation, useResend, useRevokeInvitation } from "../api/members";
import { Permission, useReasonAgainst } from "../api/permission";
import { toDate } from "../api/time";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Head, Row, Table, Td, Th } from "../ui/table";
import { useToast } from "../ui/toast";
import { Ago } from "./ago";
import { LinkToHandOver } from "./invite-dialog";
import { roleLabel } from "./members-table";
import { Name } from "./name";
import { useProblemToast } from "./use-problem-toast";

/** Who was invited and has not come yet. */
export function InvitationsTable({ invitations }: { invitations: Invitation[] }) {
  const [link, setLink] = useState<string>();
  return (
    <>
      <Table label="Invitations" className="table-fixed">
        <Head>
          <Th>Email</Th>
          <Th className="w-28 max-sm:hidden">Role</Th>
          <Th className="w-40 max-md:hidden">Ends</Th>
          <Th className="w-44">
            <span className="sr-only">Actions</span>
          </Th>
        </Head>
        <tbody>
          {invitations.map((invitation) => (
            <InvitationRow key={invitation.id} invitation={invitation} onLink={setLink} />
          ))}
        </tbody>
      </Table>
      <Dialog
        open={link !== undefined}
        onOpenChange={(open) => open || setLink(undefined)}
        title="Another link"
      >
        {link && <LinkToHandOver link={link} onClose={() => setLink(undefined)} />}
      </Dialog>
    </>
  );
}

function InvitationRow({
  invitation: { id, email, role, expireTime },
  onLink,
}: {
  invitation: Invitation;
  onLink: (link: string) => void;
}) {
  const resend = useResend();
  const revoke = useRevokeInvitation();
  const toast = useToast();
  const tellProblem = useProblemToast();
  const reason = useReasonAgainst(Permission.MEMBERS_WRITE);
  const ends = expireTime && toDate(expireTime);
  const over = ends !== undefined && ends.getTime() <= Date.now();

  function again() {
    resend.mutate(
      { invitationId: id },
      {
        onSuccess: ({ link }) =>
          link ? onLink(link) : toast({ tone: "ok", title: "Invitation sent again", detail: email }),
        onError: (error) => tellProblem("The invitation was not sent", error),
      },
    );
  }

  function takeBack() {
    revoke.mutate(
      { invitationId: id },
      {
        onSuccess: () => toast({ tone: "ok", title: "Invitation taken back", detail: email }),
        onError: (error) => tellProblem("The invitation was not taken back", error),
      },
    );
  }

  return (
    <Row>
      <Td>
        <Name className="max-sm:whitespace-normal max-sm:break-all">{email}</Name>
      </Td>
      <Td className="max-sm:hidden">{roleLabel(role)}</Td>
      <Td className="text-muted max-md:hidden">
        {over ? <Badge tone="warn">Over</Badge> : ends && <Ago date={ends} />}
      </Td>
      <Td className="px-1">
        <span className="flex justify-end">
          <Button
            size="sm"
            variant="ghost"
            reason={reason}
            busy={resend.isPending}
            onClick={again}
            aria-label={`Send the invitation of ${email} again`}
          >
            Send again
          </Button>
          <Button
            size="sm"
            variant="ghost"
            reason={reason}
            busy={revoke.isPending}
            onClick={takeBack}
            aria-label={`Take the invitation of ${email} back`}
          >
            Revoke
          </Button>
        </span>
      </Td>
    </Row>
  );
}
