import { createRouterTransport } from "@connectrpc/connect";
import { TransportProvider } from "@connectrpc/connect-query";
import { QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from "@tanstack/react-router";
import { render, screen } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { loadAccount } from "../api/auth";
import { createQueryClient } from "../api/query-client";
// biome-ignore lint/style/noRestrictedImports: the test plays the server, which speaks the generated types
import { AuthService } from "../gen/peal/admin/v1/auth_pb";
// biome-ignore lint/style/noRestrictedImports: see above
import { Permission } from "../gen/peal/admin/v1/permission_pb";
import { TooltipProvider } from "../ui/tooltip";
import type { Link } from "./link";
import { LivePanel } from "./live-panel";

let link: Link;
vi.mock("./use-live-channel", () => ({ useLiveChannel: () => ({ link, reconnect: () => {} }) }));

const onStale = vi.fn();
beforeEach(() => onStale.mockClear());

async function open(state: Link) {
  link = state;
  const transport = createRouterTransport((server) => {
    server.service(AuthService, {
      whoAmI: () => ({ account: { permissions: [Permission.EVENTS_PUBLISH] } }),
    });
  });
  const queryClient = createQueryClient();
  await loadAccount(queryClient, transport);
  const edge = { host: "edge.example.com", port: 6001, tls: false };
  const panel = () => <LivePanel appId="3" appKey="k" edge={edge} onStale={onStale} />;
  const router = createRouter({
    routeTree: createRootRoute({ component: panel }),
    history: createMemoryHistory(),
  });
  render(
    <TransportProvider transport={transport}>
      <QueryClientProvider client={queryClient}>
        <TooltipProvider>
          <RouterProvider router={router} />
        </TooltipProvider>
      </QueryClientProvider>
    </TransportProvider>,
  );
  await screen.findByRole("status", { name: "Connection" });
}

test("a live panel waits, and sends", async () => {
  await open({ state: "live" });
  expect(screen.getByText("Waiting for your first event")).toBeVisible();
  expect(screen.getByRole("button", { name: "Send a test event" })).not.toHaveAttribute("aria-disabled");
  expect(onStale).not.toHaveBeenCalled();
});

test("an unknown key: asked for again once, the refusal in place of waiting, the way to the keys", async () => {
  await open({ state: "refused", code: 4001, reason: "key revoked" });
  expect(onStale).toHaveBeenCalledOnce();
  expect(screen.getByRole("alert")).toHaveTextContent("code 4001");
  expect(screen.queryByText("Waiting for your first event")).not.toBeInTheDocument();
  expect(screen.getByRole("link", { name: "Go to keys" })).toHaveAttribute("href", "/apps/3/keys");
  const send = screen.getByRole("button", { name: "Send a test event" });
  expect(send).toHaveAttribute("aria-disabled", "true");
  expect(send).toHaveAccessibleDescription(/would not arrive/);
});

test("another refusal says nothing about the keys", async () => {
  await open({ state: "refused", code: 4004, reason: "" });
  expect(onStale).not.toHaveBeenCalled();
  expect(screen.getByRole("alert")).toHaveTextContent("code 4004");
  expect(screen.queryByRole("link", { name: "Go to keys" })).not.toBeInTheDocument();
});
