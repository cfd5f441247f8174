import { Outlet, useParams } from "@tanstack/react-router";
import { createContext, useContext } from "react";
import { type App, useApp } from "../api/apps";
import { explain } from "../api/errors";
import { Missing } from "./missing";
import { PageSkeleton } from "./page-skeleton";
import { LoadProblem } from "./problem";

const AppContext = createContext<App | null>(null);

/** The app that the address names. Its pages are drawn only when it is known. */
export function useCurrentApp(): App {
  const app = useContext(AppContext);
  if (!app) throw new Error("useCurrentApp outside of an app");
  return app;
}

export function AppGate() {
  const { appId = "" } = useParams({ strict: false });
  const { app, error, refetch, isFetching } = useApp(appId);
  if (app) {
    return (
      // Keyed, so that nothing of one app (a revealed secret, a typed name) is seen in another.
      <AppContext key={app.id} value={app}>
        <Outlet />
      </AppContext>
    );
  }
  if (!error) return <PageSkeleton what="the app" />;
  const kind = explain(error).kind;
  if (kind === "not-found" || kind === "invalid") {
    return (
      <Missing title="No such app">
        There is no app with the id {appId} here. It may have been deleted.
      </Missing>
    );
  }
  return (
    <div className="mx-auto max-w-6xl px-4 py-8 sm:px-8">
      <LoadProblem what="the app" error={error} onRetry={refetch} busy={isFetching} />
    </div>
  );
}
