import { useState } from "react";
import { Controller, useForm } from "react-hook-form";
import { useAccount } from "../api/auth";
import type { Problem } from "../api/errors";
import { type RoleName, roles, useInvite } from "../api/members";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { Select } from "../ui/select";
import { useToast } from "../ui/toast";
import { HandedOver } from "./handed-over";
import { FormProblem } from "./problem";
import { checkEmail } from "./rules";
import { placeErrors } from "./server-errors";

/** The roles that the caller may give, which are none above their own. */
export function useGivableRoles() {
  const { role } = useAccount();
  return roles.filter(({ value }) => role === "owner" || value !== "owner");
}

export function InviteDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} onOpenChange={(next) => next || onClose()} title="Invite somebody">
      {/* Inside, so that what was typed is forgotten when the dialog closes. */}
      <Invite onClose={onClose} />
    </Dialog>
  );
}

function Invite({ onClose }: { onClose: () => void }) {
  const form = useForm<{ email: string; role: RoleName }>({
    defaultValues: { email: "", role: "developer" },
  });
  const [problem, setProblem] = useState<Problem>();
  const [link, setLink] = useState<string>();
  const invite = useInvite();
  const toast = useToast();
  const givable = useGivableRoles();
  const does = roles.find(({ value }) => value === form.watch("role"))?.does;

  const submit = form.handleSubmit(async ({ email, role }) => {
    setProblem(undefined);
    try {
      const answer = await invite.mutateAsync({ email: email.trim(), role });
      if (answer.link) {
        setLink(answer.link);
        return;
      }
      toast({ tone: "ok", title: "Invitation sent", detail: email.trim() });
      onClose();
    } catch (error) {
      setProblem(placeErrors(error, form, ["email", "role"]));
    }
  });

  if (link) return <LinkToHandOver link={link} onClose={onClose} />;
  return (
    <form noValidate onSubmit={submit} className="flex flex-col gap-4">
      <FormProblem problem={problem} />
      <Field label="Email" error={form.formState.errors.email?.message}>
        <Input
          {...form.register("email", { validate: checkEmail })}
          type="email"
          autoComplete="off"
          placeholder="name@example.com"
        />
      </Field>
      <Field label="Role" hint={`May do: ${does}.`} error={form.formState.errors.role?.message}>
        <Controller
          control={form.control}
          name="role"
          render={({ field }) => (
            <Select
              choices={givable}
              value={field.value}
              onChange={field.onChange}
              className="block w-full"
            />
          )}
        />
      </Field>
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" variant="primary" busy={invite.isPending}>
          Invite
        </Button>
      </div>
    </form>
  );
}

/** Where the platform sends no mail. */
export function LinkToHandOver({ link, onClose }: { link: string; onClose: () => void }) {
  return (
    <div className="flex flex-col gap-4 text-14">
      <p className="text-muted">
        This platform sends no mail. Hand this link over yourself: it works for seven days and for one person,
        and is not shown again.
      </p>
      <HandedOver what="link" text={link} />
      <Button variant="primary" className="self-end" onClick={onClose}>
        Done
      </Button>
    </div>
  );
}
