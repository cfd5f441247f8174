import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { type App, useDeleteApp } from "../api/apps";
import { Permission, useReasonAgainst } from "../api/permission";
import { AlertDialog } from "../ui/alert-dialog";
import { Button } from "../ui/button";
import { Card } from "../ui/card";
import { useToast } from "../ui/toast";
import { useProblemToast } from "./use-problem-toast";

export function DeleteApp({ app }: { app: App }) {
  const [asking, setAsking] = useState(false);
  const remove = useDeleteApp();
  const navigate = useNavigate();
  const toast = useToast();
  const tellProblem = useProblemToast();
  const reason = useReasonAgainst(Permission.APPS_DELETE);

  async function run() {
    try {
      await remove.mutateAsync({ appId: app.id });
    } catch (error) {
      setAsking(false);
      tellProblem("The app was not deleted", error);
      return;
    }
    toast({ tone: "ok", title: "App deleted", detail: app.name });
    await navigate({ to: "/apps", ignoreBlocker: true });
    await remove.forget(app.id);
  }

  return (
    <Card
      tone="bad"
      title="Delete this app"
      description="Its keys go with it and its sockets are closed. This cannot be undone."
      footer={
        <>
          <span />
          <Button size="sm" variant="danger" reason={reason} onClick={() => setAsking(true)}>
            Delete app
          </Button>
        </>
      }
    >
      <AlertDialog
        open={asking}
        onOpenChange={setAsking}
        title="Delete this app?"
        action="Delete app"
        typed={app.name}
        busy={remove.isPending}
        onConfirm={() => void run()}
      >
        <p>
          The app and all of its keys are deleted. Sockets are closed with code 4001, and requests to app{" "}
          {app.id} fail from then on. This cannot be undone.
        </p>
      </AlertDialog>
    </Card>
  );
}
