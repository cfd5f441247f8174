import { useMatches } from "@tanstack/react-router";
import { appPages } from "./side-nav";

/** The page of an app that is open now, or the first one. */
export function useAppPage() {
  const id = useMatches().at(-1)?.fullPath;
  return appPages.find((page) => page.to === id)?.to ?? "/apps/$appId/start";
}
