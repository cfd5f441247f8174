import { useState } from "react";
import { useForm } from "react-hook-form";
import type { Problem } from "../api/errors";
import { type Enrolment, useBeginSecondFactor, useConfirmSecondFactor } from "../api/second-factor";
import { Button } from "../ui/button";
import { Card } from "../ui/card";
import { Field } from "../ui/field";
import { PasswordInput } from "../ui/password-input";
import { CodeInput } from "./code-input";
import { HandedOver } from "./handed-over";
import { FormProblem } from "./problem";
import { placeErrors } from "./server-errors";

/** Password, then the QR code and the first code of the app. */
export function EnrolSecondFactor({ onCodes }: { onCodes: (codes: string[]) => void }) {
  const [enrolment, setEnrolment] = useState<Enrolment>();
  return enrolment ? (
    <Scan enrolment={enrolment} onCodes={onCodes} onCancel={() => setEnrolment(undefined)} />
  ) : (
    <AskPassword onBegun={setEnrolment} />
  );
}

function AskPassword({ onBegun }: { onBegun: (enrolment: Enrolment) => void }) {
  const form = useForm({ defaultValues: { password: "" } });
  const [problem, setProblem] = useState<Problem>();
  const begin = useBeginSecondFactor();
  const submit = form.handleSubmit(async ({ password }) => {
    setProblem(undefined);
    try {
      onBegun(await begin.mutateAsync({ password }));
    } catch (error) {
      setProblem(placeErrors(error, form, ["password"]));
    }
  });
  return (
    <form noValidate onSubmit={submit}>
      <Card
        title="Turn it on"
        description="You need an authenticator app, such as the one in your password manager or on your phone."
        footer={
          <>
            <span />
            <Button type="submit" size="sm" variant="primary" busy={begin.isPending}>
              Go on
            </Button>
          </>
        }
      >
        <FormProblem problem={problem} />
        <Field label="Your password" error={form.formState.errors.password?.message}>
          <PasswordInput
            {...form.register("password", { validate: (text) => text !== "" || "Enter your password." })}
            autoComplete="current-password"
          />
        </Field>
      </Card>
    </form>
  );
}

function Scan({
  enrolment,
  onCodes,
  onCancel,
}: {
  enrolment: Enrolment;
  onCodes: (codes: string[]) => void;
  onCancel: () => void;
}) {
  const form = useForm({ defaultValues: { code: "" } });
  const [problem, setProblem] = useState<Problem>();
  const confirm = useConfirmSecondFactor();
  const submit = form.handleSubmit(async ({ code }) => {
    setProblem(undefined);
    try {
      const { recoveryCodes } = await confirm.mutateAsync({ code: code.trim() });
      onCodes(recoveryCodes);
    } catch (error) {
      setProblem(placeErrors(error, form, ["code"]));
    }
  });
  return (
    <form noValidate onSubmit={submit}>
      <Card
        title="Scan the code"
        description="Scan it with your authenticator app, then enter the six digits that the app shows."
        footer={
          <>
            <Button size="sm" variant="ghost" onClick={onCancel}>
              Cancel
            </Button>
            <Button type="submit" size="sm" variant="primary" busy={confirm.isPending}>
              Turn on
            </Button>
          </>
        }
      >
        <FormProblem problem={problem} />
        <div className="flex flex-col gap-5 sm:flex-row">
          <QrCode size={enrolment.qrSize} path={enrolment.qrPath} />
          <div className="flex min-w-0 flex-1 flex-col gap-4">
            <div className="flex flex-col gap-1.5 text-13">
              <span className="text-muted">No camera? Type this into the app:</span>
              <HandedOver what="secret" text={enrolment.secret} />
            </div>
            <Field label="Code" error={form.formState.errors.code?.message}>
              <CodeInput
                {...form.register("code", {
                  validate: (text) =>
                    /^\d{3} ?\d{3}$/.test(text.trim()) || "Enter the six digits that the app shows.",
                })}
                inputMode="numeric"
                autoFocus
              />
            </Field>
          </div>
        </div>
      </Card>
    </form>
  );
}

/** Black on white in both themes: that is what cameras look for. */
function QrCode({ size, path }: { size: number; path: string }) {
  return (
    <svg
      role="img"
      aria-label="QR code for your authenticator app"
      viewBox={`0 0 ${size} ${size}`}
      shapeRendering="crispEdges"
      className="size-44 shrink-0 self-center rounded-md border border-line sm:self-start"
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
