import { useState } from "react";
import { type App, useDisableApp, useEnableApp } from "../api/apps";
import { Permission, useReasonAgainst } from "../api/permission";
import { AlertDialog } from "../ui/alert-dialog";
import { Button } from "../ui/button";
import { Card } from "../ui/card";
import { useToast } from "../ui/toast";
import { useProblemToast } from "./use-problem-toast";

export function EnableApp({ app }: { app: App }) {
  return app.enabled ? <Disable app={app} /> : <Enable app={app} />;
}

function Enable({ app }: { app: App }) {
  const enable = useEnableApp();
  const toast = useToast();
  const tellProblem = useProblemToast();
  const reason = useReasonAgainst(Permission.APPS_WRITE);

  async function run() {
    try {
      await enable.mutateAsync({ appId: app.id });
      toast({ tone: "ok", title: "App enabled" });
    } catch (error) {
      tellProblem("The app is still disabled", error);
    }
  }

  return (
    <Card
      title="Enable this app"
      description="It is disabled: sockets are refused with code 4003 and requests with status 403. Its keys and settings are as they were."
      footer={
        <>
          <span />
          <Button
            size="sm"
            variant="primary"
            reason={reason}
            busy={enable.isPending}
            onClick={() => void run()}
          >
            Enable app
          </Button>
        </>
      }
    />
  );
}

function Disable({ app }: { app: App }) {
  const [asking, setAsking] = useState(false);
  const disable = useDisableApp();
  const toast = useToast();
  const tellProblem = useProblemToast();
  const reason = useReasonAgainst(Permission.APPS_WRITE);

  async function run() {
    try {
      await disable.mutateAsync({ appId: app.id });
      toast({ tone: "ok", title: "App disabled" });
    } catch (error) {
      setAsking(false);
      tellProblem("The app is still enabled", error);
    }
  }

  return (
    <Card
      title="Disable this app"
      description="It stops accepting sockets and requests until it is enabled again. Keys and settings stay."
      footer={
        <>
          <span />
          <Button size="sm" reason={reason} onClick={() => setAsking(true)}>
            Disable app
          </Button>
        </>
      }
    >
      <AlertDialog
        open={asking}
        onOpenChange={setAsking}
        title="Disable this app?"
        action="Disable app"
        busy={disable.isPending}
        onConfirm={() => void run()}
      >
        <p>
          Within a second, all its sockets are closed with code 4003 and its requests are answered with status
          403.
        </p>
        <p>
          After this code clients do not come back by themselves: once the app is enabled again, their pages
          must be loaded anew.
        </p>
      </AlertDialog>
    </Card>
  );
}
