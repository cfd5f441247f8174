import { useEffect, useState } from "react";
import { Controller, useForm } from "react-hook-form";
import type { Problem } from "../api/errors";
import { explain } from "../api/errors";
import { Permission, useReasonAgainst } from "../api/permission";
import { usePlatform } from "../api/platform";
import { type AppSettings, type FeatureKey, useUpdateAppSettings } from "../api/settings";
import { Button } from "../ui/button";
import { Callout } from "../ui/callout";
import { Card } from "../ui/card";
import { SwitchField } from "../ui/switch";
import { useToast } from "../ui/toast";
import { FormProblem } from "./problem";
import { features } from "./setting-words";
import { useUnsaved } from "./unsaved";

type Switches = Record<FeatureKey, boolean>;

const toSwitches = ({ features: f }: AppSettings): Switches => ({
  clientEvents: f?.clientEvents ?? false,
  subscriptionCount: f?.subscriptionCount ?? false,
  watchlist: f?.watchlist ?? false,
  authorizedConnections: f?.authorizedConnections ?? false,
  tlsOnly: f?.tlsOnly ?? false,
  compression: f?.compression ?? false,
});

export function FeaturesForm({ settings }: { settings: AppSettings }) {
  const form = useForm<Switches>({ defaultValues: toSwitches(settings) });
  const { isDirty } = form.formState;
  const [problem, setProblem] = useState<Problem>();
  const update = useUpdateAppSettings(settings.appId);
  const toast = useToast();
  const notAllowed = useReasonAgainst(Permission.APPS_WRITE);
  useUnsaved("Features", isDirty);
  // What somebody else changed shows as long as nothing is being changed here.
  useEffect(() => {
    if (!isDirty) form.reset(toSwitches(settings));
  }, [form, isDirty, settings]);

  const submit = form.handleSubmit(async (wanted) => {
    setProblem(undefined);
    const before = toSwitches(settings);
    const changed = features.filter(({ key }) => wanted[key] !== before[key]).map(({ key }) => key);
    try {
      const answer = await update.mutateAsync({
        appId: settings.appId,
        features: Object.fromEntries(changed.map((key) => [key, wanted[key]])),
      });
      if (answer.settings) form.reset(toSwitches(answer.settings));
      toast({ tone: "ok", title: "Features saved" });
    } catch (error) {
      setProblem(explain(error));
    }
  });

  return (
    <form noValidate onSubmit={submit}>
      <Card
        title="Features"
        description="Changes reach every edge within a second."
        footer={
          <>
            <span />
            <Button
              type="submit"
              size="sm"
              variant="primary"
              busy={update.isPending}
              reason={notAllowed ?? (isDirty ? undefined : "Nothing has changed.")}
            >
              Save features
            </Button>
          </>
        }
      >
        <FormProblem problem={problem} />
        <div className="-my-3 divide-y divide-line">
          {features.map(({ key, name, does }) => (
            <Controller
              key={key}
              control={form.control}
              name={key}
              render={({ field }) => (
                <SwitchField
                  label={name}
                  hint={
                    <>
                      {does}
                      {key === "tlsOnly" && field.value && <NoTLS />}
                    </>
                  }
                  checked={field.value}
                  onChange={field.onChange}
                  reason={notAllowed}
                />
              )}
            />
          ))}
        </div>
      </Card>
    </form>
  );
}

/** Said where the switch would lock everybody out. */
function NoTLS() {
  const { edge } = usePlatform();
  if (!edge || edge.tls) return null;
  return (
    <div className="mt-2">
      <Callout tone="warn">
        This installation is reached without TLS, as far as it knows. If so, nothing can connect.
      </Callout>
    </div>
  );
}
