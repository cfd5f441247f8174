import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useAccount } from "../api/auth";
import { useLimitUse } from "../api/usage";
import { AlertsCard } from "../components/alerts-card";
import { useCurrentApp } from "../components/current-app";
import { Page } from "../components/page";
import { TopApps } from "../components/top-apps";
import { RangeChoice, UsageFileLink, UsageView, useSince } from "../components/usage-view";
import { buttonClass } from "../ui/button";

/** What all apps of the tenant used together. */
export function TenantUsagePage() {
  const { tenantName } = useAccount();
  const search = useSearch({ from: "/shell/usage" });
  const navigate = useNavigate();
  const { chosen, since } = useSince(search);
  const { limits } = useLimitUse("");
  const order = search.by ?? "messages";
  const kept = search.by ? { by: search.by } : {};
  const { by: _, ...range } = search;
  return (
    <Page
      title="Usage"
      context={tenantName}
      description="What all your apps used together. Their peak is the most at the same moment."
      actions={<UsageFileLink appId="" chosen={chosen} since={since} />}
    >
      <RangeChoice
        chosen={chosen}
        onChange={(next) => void navigate({ to: "/usage", search: { ...next, ...kept }, replace: true })}
      />
      <UsageView
        appId=""
        chosen={chosen}
        since={since}
        limits={limits}
        nothing={
          <Link to="/apps" className={buttonClass("primary")}>
            Go to apps
          </Link>
        }
      >
        <TopApps
          chosen={chosen}
          since={since}
          order={order}
          search={range}
          onOrder={(next) => void navigate({ to: "/usage", search: { ...range, by: next }, replace: true })}
        />
      </UsageView>
      <div className="mt-6">
        <AlertsCard />
      </div>
    </Page>
  );
}

/** What one app used, beside its limits. */
export function AppUsagePage() {
  const app = useCurrentApp();
  const search = useSearch({ from: "/shell/apps/$appId/usage" });
  const navigate = useNavigate();
  const { chosen, since } = useSince(search);
  const { limits } = useLimitUse(app.id);
  return (
    <Page
      title="Usage"
      context={app.name}
      description="What this app used, step by step."
      actions={<UsageFileLink appId={app.id} chosen={chosen} since={since} />}
    >
      <RangeChoice
        chosen={chosen}
        onChange={(next) =>
          void navigate({ to: "/apps/$appId/usage", params: { appId: app.id }, search: next, replace: true })
        }
      />
      <UsageView
        appId={app.id}
        chosen={chosen}
        since={since}
        limits={limits}
        nothing={
          <Link to="/apps/$appId/start" params={{ appId: app.id }} className={buttonClass("primary")}>
            Send a first event
          </Link>
        }
      />
    </Page>
  );
}
