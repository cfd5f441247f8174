import { useState } from "react";
import { useForm } from "react-hook-form";
import { useAccount } from "../api/auth";
import type { Problem } from "../api/errors";
import { type Tenant, useResumeTenant, useSuspendTenant } from "../api/operators";
import { AlertDialog } from "../ui/alert-dialog";
import { Button } from "../ui/button";
import { Card } from "../ui/card";
import { Field, Textarea } from "../ui/field";
import { useToast } from "../ui/toast";
import { FormProblem } from "./problem";
import { checkReason } from "./rules";
import { placeErrors } from "./server-errors";
import { useProblemToast } from "./use-problem-toast";

export function SuspendTenant({ tenant }: { tenant: Tenant }) {
  return tenant.suspendTime ? <Resume tenant={tenant} /> : <Suspend tenant={tenant} />;
}

function Suspend({ tenant }: { tenant: Tenant }) {
  const form = useForm({ defaultValues: { reason: "" } });
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const suspend = useSuspendTenant();
  const toast = useToast();
  const own = useAccount().tenantId === tenant.id;
  const reason = form.watch("reason").trim();

  async function run() {
    setProblem(undefined);
    try {
      await suspend.mutateAsync({ tenantId: tenant.id, reason });
      toast({ tone: "ok", title: "Tenant suspended", detail: tenant.name });
    } catch (error) {
      setAsking(false);
      setProblem(placeErrors(error, form, ["reason"]));
    }
  }

  return (
    <form noValidate onSubmit={form.handleSubmit(() => setAsking(true))}>
      <Card
        tone="bad"
        title="Suspend this tenant"
        description="All its apps stop, as if each were disabled, and its members can only look, until it is resumed. Nothing is deleted."
        footer={
          <>
            <span />
            <Button type="submit" size="sm" variant="danger">
              Suspend tenant
            </Button>
          </>
        }
      >
        <FormProblem problem={problem} />
        <Field
          label="Reason"
          hint="Its members read this at the top of every page, so say what they can do. At most 500 characters."
          error={form.formState.errors.reason?.message}
        >
          <Textarea
            {...form.register("reason", { validate: checkReason })}
            dir="auto"
            placeholder="The invoice of October is open. Pay it, or write to billing."
          />
        </Field>
        <AlertDialog
          open={asking}
          onOpenChange={setAsking}
          title="Suspend this tenant?"
          action="Suspend tenant"
          typed={tenant.name}
          busy={suspend.isPending}
          onConfirm={() => void run()}
        >
          <p>
            Within two seconds all sockets of its apps are closed with code 4003, and requests are answered
            with status 403. After this code clients do not come back by themselves: once it is resumed, their
            pages must be loaded anew.
          </p>
          <p>
            Its members can look, change nothing, and read:{" "}
            <bdi className="whitespace-pre-line break-words text-ink">{reason}</bdi>
          </p>
          {own && <p className="font-medium text-ink">It is the tenant that you work in yourself.</p>}
        </AlertDialog>
      </Card>
    </form>
  );
}

function Resume({ tenant }: { tenant: Tenant }) {
  const resume = useResumeTenant();
  const toast = useToast();
  const tellProblem = useProblemToast();

  async function run() {
    try {
      await resume.mutateAsync({ tenantId: tenant.id });
      toast({ tone: "ok", title: "Tenant resumed", detail: tenant.name });
    } catch (error) {
      tellProblem("The tenant is still suspended", error);
    }
  }

  return (
    <Card
      title="Resume this tenant"
      description="Its apps accept sockets and requests again within two seconds, but for those that are disabled themselves, and its members can do again what their roles allow."
      footer={
        <>
          <span />
          <Button size="sm" variant="primary" busy={resume.isPending} onClick={() => void run()}>
            Resume tenant
          </Button>
        </>
      }
    />
  );
}
