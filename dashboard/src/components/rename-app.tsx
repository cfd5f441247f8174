import { useState } from "react";
import { useForm } from "react-hook-form";
import { type App, useRenameApp } from "../api/apps";
import type { Problem } from "../api/errors";
import { Permission, useReasonAgainst } from "../api/permission";
import { Button } from "../ui/button";
import { Card } from "../ui/card";
import { Field, Input } from "../ui/field";
import { useToast } from "../ui/toast";
import { FormProblem } from "./problem";
import { checkName } from "./rules";
import { placeErrors } from "./server-errors";
import { useUnsaved } from "./unsaved";

export function RenameApp({ app }: { app: App }) {
  const form = useForm({ defaultValues: { name: app.name } });
  const [problem, setProblem] = useState<Problem>();
  const rename = useRenameApp();
  const toast = useToast();
  const notAllowed = useReasonAgainst(Permission.APPS_WRITE);
  const unchanged = form.formState.isDirty ? undefined : "Nothing has changed.";

  useUnsaved("Name", form.formState.isDirty);

  const submit = form.handleSubmit(async ({ name }) => {
    setProblem(undefined);
    try {
      const answer = await rename.mutateAsync({ appId: app.id, name: name.trim() });
      form.reset({ name: answer.app?.name ?? name });
      toast({ tone: "ok", title: "Name saved" });
    } catch (error) {
      setProblem(placeErrors(error, form, ["name"]));
    }
  });

  return (
    <form noValidate onSubmit={submit}>
      <Card
        title="Name"
        description="Shown in this dashboard only. Clients and servers never see it."
        footer={
          <>
            <span className="text-muted">At most 60 characters</span>
            <Button
              type="submit"
              size="sm"
              variant="primary"
              busy={rename.isPending}
              reason={notAllowed ?? unchanged}
            >
              Save name
            </Button>
          </>
        }
      >
        <FormProblem problem={problem} />
        <Field label="App name" error={form.formState.errors.name?.message}>
          <Input
            {...form.register("name", { validate: checkName })}
            readOnly={notAllowed !== undefined}
            autoComplete="off"
            dir="auto"
            className="text-left"
          />
        </Field>
      </Card>
    </form>
  );
}
