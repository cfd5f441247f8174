import { useNavigate } from "@tanstack/react-router";
import { Eye } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { explain, type Problem } from "../api/errors";
import { useImpersonate } from "../api/impersonation";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Field, Input } from "../ui/field";
import { FormProblem } from "./problem";

/** Has an operator say why before looking at a tenant as its members see it. */
export function LookAtTenant({ tenantId, name }: { tenantId: string; name: string }) {
  const [open, setOpen] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const form = useForm<{ reason: string }>({ defaultValues: { reason: "" } });
  const look = useImpersonate();
  const navigate = useNavigate();

  const submit = form.handleSubmit(async ({ reason }) => {
    setProblem(undefined);
    try {
      await look.mutateAsync({ tenantId, reason: reason.trim() });
      await navigate({ to: "/apps" });
    } catch (error) {
      setProblem(explain(error));
    }
  });

  return (
    <>
      <Button icon={<Eye aria-hidden className="size-4" />} onClick={() => setOpen(true)}>
        Look at this account
      </Button>
      <Dialog open={open} onOpenChange={setOpen} title={`Look at ${name}?`}>
        <form noValidate onSubmit={submit} className="flex flex-col gap-4">
          <p className="text-13 text-muted">
            For an hour you see what its members see, and can change nothing. The reason is in its audit log.
          </p>
          <FormProblem problem={problem} />
          <Field label="Reason" error={form.formState.errors.reason?.message}>
            <Input
              {...form.register("reason", {
                validate: (text) => {
                  const length = [...text.trim()].length;
                  if (length === 0) return "Say why: the members of the account will read it.";
                  return length <= 500 ? true : "Use at most 500 characters.";
                },
              })}
              autoComplete="off"
              placeholder="Ticket 1234: events arrive late"
            />
          </Field>
          <div className="flex justify-end gap-2">
            <Button onClick={() => setOpen(false)}>Cancel</Button>
            <Button type="submit" variant="primary" busy={look.isPending}>
              Look at it
            </Button>
          </div>
        </form>
      </Dialog>
    </>
  );
}
