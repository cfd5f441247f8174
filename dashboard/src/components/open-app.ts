import { useParams } from "@tanstack/react-router";
import { type App, useApp, useApps } from "../api/apps";

/** For what stands outside of the app's pages: the app that the address names, as soon as anything knows it. */
export function useOpenApp(): App | undefined {
  const { appId } = useParams({ strict: false });
  const { apps } = useApps();
  const fromList = apps?.find((app) => app.id === appId);
  // An id that is in no list is asked for by the page itself; here it is only read from the cache.
  const { app } = useApp(appId ?? "", { cachedOnly: true });
  return app ?? fromList;
}
