import "./styles.css";
import { TransportProvider } from "@connectrpc/connect-query";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createQueryClient } from "./api/query-client";
import { createApiTransport } from "./api/transport";
import { createAppRouter } from "./routes";
import { holdShortcut } from "./ui/shortcut";
import { ToastProvider } from "./ui/toast";
import { TooltipProvider } from "./ui/tooltip";

// The shell, which opens the palette, comes later than the first paint.
holdShortcut("mod+k");

const queryClient = createQueryClient();
const transport = createApiTransport(toLogin);
const router = createAppRouter({ queryClient, transport });

/** The session has ended while a page was open: log in, then come back to it. */
function toLogin() {
  const { pathname, href } = router.state.location;
  if (pathname === "/login" || pathname === "/signup") return;
  void router
    .navigate({ to: "/login", search: href === "/apps" ? {} : { next: href }, ignoreBlocker: true })
    .then(() => queryClient.clear());
}

// After an upgrade the files of an open page are gone; the next page then comes with a fresh start.
window.addEventListener("vite:preloadError", () => location.reload());

const container = document.getElementById("root");
if (!container) throw new Error("index.html has no #root");
createRoot(container).render(
  <StrictMode>
    <TransportProvider transport={transport}>
      <QueryClientProvider client={queryClient}>
        <TooltipProvider>
          <ToastProvider>
            <RouterProvider router={router} />
          </ToastProvider>
        </TooltipProvider>
      </QueryClientProvider>
    </TransportProvider>
  </StrictMode>,
);
