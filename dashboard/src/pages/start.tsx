import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { KeyRound } from "lucide-react";
import { useEffect, useRef } from "react";
import type { App } from "../api/apps";
import { keyForStart, useKeys } from "../api/keys";
import { type Edge, usePlatform } from "../api/platform";
import { Credentials } from "../components/credentials";
import { useCurrentApp } from "../components/current-app";
import { LivePanel } from "../components/live-panel";
import { Page } from "../components/page";
import { LoadProblem } from "../components/problem";
import { SnippetTabs } from "../components/snippet-tabs";
import { useSecret } from "../components/use-secret";
import { buttonClass } from "../ui/button";
import { Callout } from "../ui/callout";
import { Empty } from "../ui/empty";
import { Skeleton } from "../ui/skeleton";
import { useToast } from "../ui/toast";

export function StartPage() {
  const app = useCurrentApp();
  return (
    <Page
      title="Get started"
      context={app.name}
      description="Publish an event with the code for your server and watch it arrive here. The code for pusher-js listens, as this page does."
    >
      <Start app={app} />
    </Page>
  );
}

function Start({ app }: { app: App }) {
  const keys = useKeys(app.id);
  const platform = usePlatform();
  const error = keys.error ?? platform.error;
  const key = keys.keys && keyForStart(keys.keys)?.key;
  useTellSwitch(key);

  if (keys.keys && platform.edge) {
    return key ? (
      <Ready key={key} app={app} appKey={key} edge={platform.edge} onStale={() => void keys.refetch()} />
    ) : (
      <NoKey app={app} />
    );
  }
  if (!error) return <StartSkeleton />;
  return (
    <LoadProblem
      what="what the code needs"
      error={error}
      busy={keys.isFetching || platform.isFetching}
      onRetry={() => {
        if (keys.error) void keys.refetch();
        if (platform.error) void platform.refetch();
      }}
    />
  );
}

/** The code on the page changes with the key, so say that it did. */
function useTellSwitch(key: string | undefined) {
  const toast = useToast();
  const last = useRef(key);
  useEffect(() => {
    if (last.current && key && last.current !== key) {
      toast({ tone: "ok", title: "The key was revoked", detail: `This page now uses ${key}` });
    }
    last.current = key;
  }, [key, toast]);
}

function Ready({
  app,
  appKey,
  edge,
  onStale,
}: {
  app: App;
  appKey: string;
  edge: Edge;
  /** Called when the key may be one no longer. */
  onStale: () => void;
}) {
  const { lib } = useSearch({ from: "/shell/apps/$appId/start" });
  const navigate = useNavigate();
  const secret = useSecret(app.id, appKey);
  return (
    <div className="grid items-start gap-6 xl:grid-cols-[minmax(0,1fr)_24rem]">
      <div className="flex min-w-0 flex-col gap-6">
        {!app.enabled && (
          <Callout tone="warn" title="This app is disabled">
            It refuses sockets and requests until it is enabled again in its{" "}
            <Link to="/apps/$appId/settings" params={{ appId: app.id }} className="underline">
              settings
            </Link>
            .
          </Callout>
        )}
        <Credentials appId={app.id} appKey={appKey} secret={secret} edge={edge} />
        <SnippetTabs
          appId={app.id}
          appKey={appKey}
          secret={secret}
          edge={edge}
          value={lib ?? "pusher-js"}
          onChange={(id) =>
            void navigate({
              to: "/apps/$appId/start",
              params: { appId: app.id },
              search: { lib: id },
              replace: true,
              resetScroll: false,
            })
          }
        />
      </div>
      {/* Above the code where there is no room beside it: what arrives must be seen to arrive. */}
      <div className="min-w-0 max-xl:order-first xl:sticky xl:top-20">
        <LivePanel appId={app.id} appKey={appKey} edge={edge} onStale={onStale} />
      </div>
    </div>
  );
}

function NoKey({ app }: { app: App }) {
  return (
    <Empty
      icon={<KeyRound aria-hidden className="size-5" />}
      title="This app has no active key"
      action={
        <Link to="/apps/$appId/keys" params={{ appId: app.id }} className={buttonClass("primary")}>
          Go to keys
        </Link>
      }
    >
      None of its keys is active and opens sockets, so this page cannot connect. Create a key for that, then
      come back for the code.
    </Empty>
  );
}

function StartSkeleton() {
  return (
    <div className="grid items-start gap-6 xl:grid-cols-[minmax(0,1fr)_24rem]">
      <p role="status" className="sr-only">
        Loading the code
      </p>
      <div className="flex flex-col gap-6">
        <Skeleton className="h-30 rounded-lg" />
        <Skeleton className="h-80 rounded-lg" />
      </div>
      <Skeleton className="h-54 rounded-lg max-xl:order-first" />
    </div>
  );
}
