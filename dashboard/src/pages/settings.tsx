import type { ReactNode } from "react";
import { toDate } from "../api/time";
import { Ago } from "../components/ago";
import { AppState } from "../components/app-state";
import { useCurrentApp } from "../components/current-app";
import { DeleteApp } from "../components/delete-app";
import { Page } from "../components/page";
import { RenameApp } from "../components/rename-app";
import { Card } from "../ui/card";
import { CopyButton } from "../ui/copy-button";

export function SettingsPage() {
  const app = useCurrentApp();
  return (
    <Page title="Settings" context={app.name} narrow>
      <div className="flex flex-col gap-6">
        <RenameApp app={app} />
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
          <p className="text-13 text-muted">
            {app.enabled
              ? "It accepts sockets and requests. The operator of this installation can disable it."
              : "It refuses sockets with code 4003 and requests with status 403. The operator of this installation can enable it."}
          </p>
        </Card>
        <DeleteApp app={app} />
      </div>
    </Page>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex h-10 items-center gap-4 border-line border-b">
      <dt className="w-24 shrink-0 text-muted">{name}</dt>
      <dd className="flex min-w-0 items-center gap-1">{children}</dd>
    </div>
  );
}
