import type { App } from "../api/apps";
import { StatusDot } from "../ui/status-dot";

export function AppState({ app }: { app: App }) {
  return (
    <span className="flex items-center gap-2">
      <StatusDot tone={app.enabled ? "ok" : "warn"} />
      {app.enabled ? "Enabled" : "Disabled"}
    </span>
  );
}
