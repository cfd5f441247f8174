import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useCreateApp } from "../api/apps";
import type { Problem } from "../api/errors";
import { Permission, useReasonAgainst } from "../api/permission";
import { Button } from "../ui/button";
import { Field, Input } from "../ui/field";
import { FormProblem } from "./problem";
import { checkName } from "./rules";
import { placeErrors } from "./server-errors";

/** Creates an app and goes on to its first page. */
export function CreateAppForm({ autoFocus }: { autoFocus?: boolean }) {
  const form = useForm({ defaultValues: { name: "" } });
  const [problem, setProblem] = useState<Problem>();
  const create = useCreateApp();
  const navigate = useNavigate();
  const reason = useReasonAgainst(Permission.APPS_WRITE);

  const submit = form.handleSubmit(async ({ name }) => {
    setProblem(undefined);
    try {
      const { app } = await create.mutateAsync({ name: name.trim() });
      if (app) await navigate({ to: "/apps/$appId/start", params: { appId: app.id } });
    } catch (error) {
      setProblem(placeErrors(error, form, ["name"]));
    }
  });

  return (
    <form noValidate onSubmit={submit} className="flex flex-col gap-4 text-left">
      <FormProblem problem={problem} />
      <Field
        label="Name"
        hint="For you to tell your apps apart. It can be changed later."
        error={form.formState.errors.name?.message}
      >
        <Input
          {...form.register("name", { validate: checkName })}
          autoFocus={autoFocus}
          autoComplete="off"
          dir="auto"
          className="text-left"
          placeholder="Chat, staging"
        />
      </Field>
      <Button type="submit" variant="primary" busy={create.isPending} reason={reason} className="self-start">
        Create app
      </Button>
    </form>
  );
}
