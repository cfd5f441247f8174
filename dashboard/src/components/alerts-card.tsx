import { Permission, useReasonAgainst } from "../api/permission";
import { useAlertSettings, useUpdateAlertSettings } from "../api/usage";
import { Card } from "../ui/card";
import { Skeleton } from "../ui/skeleton";
import { SwitchField } from "../ui/switch";
import { useToast } from "../ui/toast";
import { LoadProblem } from "./problem";
import { useProblemToast } from "./use-problem-toast";

/** Whether owners and admins are told when an app comes near a limit. */
export function AlertsCard() {
  const { settings, error, refetch, isFetching } = useAlertSettings();
  const update = useUpdateAlertSettings();
  const toast = useToast();
  const tellProblem = useProblemToast();
  const notAllowed = useReasonAgainst(Permission.ALERTS_WRITE);

  function turn(byMail: boolean) {
    update.mutate(
      { settings: { byMail } },
      {
        onSuccess: () => toast({ tone: "ok", title: byMail ? "Alerts are on" : "Alerts are off" }),
        onError: (problem) => tellProblem("Alerts were not changed", problem),
      },
    );
  }

  if (!settings && error) {
    return <LoadProblem what="the alerts" error={error} onRetry={() => void refetch()} busy={isFetching} />;
  }
  return (
    <Card
      title="Alerts"
      description="When an app reaches 80 % and 100 % of its connections or of its messages a day, each once a day (UTC). A limit that is no bound has no alerts."
    >
      {settings ? (
        <div className="-my-3">
          <SwitchField
            label="Mail to owners and admins"
            hint="Everybody else sees the limit as a line in the charts of an app."
            checked={settings.byMail}
            onChange={(byMail) => update.isPending || turn(byMail)}
            reason={notAllowed}
          />
        </div>
      ) : (
        <Skeleton className="h-5 w-64 max-w-full" />
      )}
    </Card>
  );
}
