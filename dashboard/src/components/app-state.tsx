import type { App } from "../api/apps";
import { Badge } from "../ui/badge";

export function AppState({ app }: { app: App }) {
  return app.enabled ? <Badge tone="ok">Enabled</Badge> : <Badge tone="warn">Disabled</Badge>;
}
