import type { ReactNode } from "react";
import type { App } from "../api/apps";
import { useAppSettings } from "../api/settings";
import { toDate } from "../api/time";
import { Ago } from "../components/ago";
import { AppState } from "../components/app-state";
import { ChannelRulesForm } from "../components/channel-rules-form";
import { useCurrentApp } from "../components/current-app";
import { DeleteApp } from "../components/delete-app";
import { EnableApp } from "../components/enable-app";
import { FeaturesForm } from "../components/features-form";
import { LimitsForm } from "../components/limits-form";
import { OriginsForm } from "../components/origins-form";
import { Page } from "../components/page";
import { LoadProblem } from "../components/problem";
import { RenameApp } from "../components/rename-app";
import { SettingsSkeleton } from "../components/settings-skeleton";
import { UnsavedGuard } from "../components/unsaved";
import { Card } from "../ui/card";
import { CopyButton } from "../ui/copy-button";

export function SettingsPage() {
  const app = useCurrentApp();
  return (
    <Page title="Settings" context={app.name} narrow>
      <UnsavedGuard>
        <div className="flex flex-col gap-6">
          <RenameApp app={app} />
          <About app={app} />
          <Stored app={app} />
          <EnableApp app={app} />
          <DeleteApp app={app} />
        </div>
      </UnsavedGuard>
    </Page>
  );
}

/** What is asked for apart from the app. The rest of the page does not wait for it. */
function Stored({ app }: { app: App }) {
  const { settings, error, refetch, isFetching } = useAppSettings(app.id);
  if (settings) {
    return (
      <>
        <FeaturesForm settings={settings} />
        <OriginsForm settings={settings} />
        <ChannelRulesForm settings={settings} />
        <LimitsForm settings={settings} />
      </>
    );
  }
  if (!error) return <SettingsSkeleton />;
  return (
    <LoadProblem
      what="features, origins, channel rules and limits"
      error={error}
      onRetry={() => void refetch()}
      busy={isFetching}
    />
  );
}

function About({ app }: { app: App }) {
  return (
    <Card title="About this app">
      <dl className="-mb-2 text-13">
        <Fact name="App id">
          <code className="text-12">{app.id}</code>
          <CopyButton what="app id" source={app.id} />
        </Fact>
        <Fact name="Created">{app.createTime && <Ago date={toDate(app.createTime)} />}</Fact>
        <Fact name="Status">
          <AppState app={app} />
        </Fact>
      </dl>
    </Card>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex h-10 items-center gap-4 border-line border-b last:border-b-0">
      <dt className="w-24 shrink-0 text-muted">{name}</dt>
      <dd className="flex min-w-0 items-center gap-1">{children}</dd>
    </div>
  );
}
