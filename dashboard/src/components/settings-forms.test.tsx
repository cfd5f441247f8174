import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport, type ServiceImpl } from "@connectrpc/connect";
import { TransportProvider } from "@connectrpc/connect-query";
import { QueryClientProvider } from "@tanstack/react-query";
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  Link,
  Outlet,
  RouterProvider,
} from "@tanstack/react-router";
import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { loadAccount } from "../api/auth";
import { createQueryClient } from "../api/query-client";
import { type AppSettings, useAppSettings } from "../api/settings";
// biome-ignore lint/style/noRestrictedImports: the test plays the server, which speaks the generated types
import { ViolationsSchema } from "../gen/buf/validate/validate_pb";
// biome-ignore lint/style/noRestrictedImports: see above
import { AuthService } from "../gen/peal/admin/v1/auth_pb";
// biome-ignore lint/style/noRestrictedImports: see above
import { Permission } from "../gen/peal/admin/v1/permission_pb";
// biome-ignore lint/style/noRestrictedImports: see above
import { PlatformService } from "../gen/peal/admin/v1/platform_pb";
// biome-ignore lint/style/noRestrictedImports: see above
import { AppSettingsSchema, FeaturesSchema, SettingsService } from "../gen/peal/admin/v1/settings_pb";
import { ToastProvider } from "../ui/toast";
import { TooltipProvider } from "../ui/tooltip";
import { ChannelRulesForm } from "./channel-rules-form";
import { FeaturesForm } from "./features-form";
import { LimitsForm } from "./limits-form";
import { OriginsForm } from "./origins-form";
import { features } from "./setting-words";
import { UnsavedGuard } from "./unsaved";

type Update = Parameters<NonNullable<ServiceImpl<typeof SettingsService>["updateAppSettings"]>>[0];

let stored: AppSettings;
let sent: Update[];
let answer: () => AppSettings;
let tried: { origin: string; origins: string[] }[];

beforeEach(() => {
  sent = [];
  tried = [];
  stored = create(AppSettingsSchema, {
    appId: "7",
    features: { clientEvents: true },
    origins: ["https://example.com"],
    channelRules: [
      { pattern: "orders-*", log: { size: 1000, ttlSeconds: 5400 } },
      { pattern: "news", log: { size: 1, ttlSeconds: 60 } },
    ],
    limits: [
      { name: "connections", min: 0, max: 10 },
      { name: "payload_bytes", value: 20000, set: true, defaultValue: 10240, min: 1, max: 1048576 },
    ],
  });
  answer = () => stored;
});

function refuse(...path: (string | number)[]): never {
  const elements = path.flatMap((step, index) => {
    if (typeof step === "number") return [];
    const place = path[index + 1];
    const subscript =
      typeof place === "number" ? ({ case: "index", value: BigInt(place) } as const) : undefined;
    return [{ fieldName: step, ...(subscript ? { subscript } : {}) }];
  });
  const value = create(ViolationsSchema, { violations: [{ field: { elements }, message: "not so" }] });
  throw new ConnectError("invalid", Code.InvalidArgument, {}, [{ desc: ViolationsSchema, value }]);
}

function Forms() {
  const { settings } = useAppSettings("7");
  if (!settings) return null;
  return (
    <UnsavedGuard>
      <Link to="/">Elsewhere</Link>
      <FeaturesForm settings={settings} />
      <OriginsForm settings={settings} />
      <ChannelRulesForm settings={settings} />
      <LimitsForm settings={settings} />
    </UnsavedGuard>
  );
}

async function open(permissions = [Permission.APPS_READ, Permission.APPS_WRITE]) {
  const transport = createRouterTransport((server) => {
    server.service(SettingsService, {
      getAppSettings: () => ({ settings: stored }),
      updateAppSettings: (request) => {
        sent.push(request);
        return { settings: answer() };
      },
      checkOrigin: ({ origin, origins }) => {
        tried.push({ origin, origins });
        if (origins.includes("bad")) refuse("origins", origins.indexOf("bad"));
        return { origin, allowed: origins.includes(origin), entry: origins.includes(origin) ? origin : "" };
      },
    });
    server.service(PlatformService, { getPlatform: () => ({ edgeHost: "localhost", edgePort: 6001 }) });
    server.service(AuthService, {
      whoAmI: () => ({ account: { role: "viewer", tenantName: "Works", permissions } }),
    });
  });
  const queryClient = createQueryClient();
  await loadAccount(queryClient, transport);
  const root = createRootRoute({ component: Outlet });
  const router = createRouter({
    routeTree: root.addChildren([
      createRoute({ getParentRoute: () => root, path: "/", component: () => <h1>Elsewhere</h1> }),
      createRoute({ getParentRoute: () => root, path: "/settings", component: Forms }),
    ]),
    history: createMemoryHistory({ initialEntries: ["/settings"] }),
  });
  render(
    <TransportProvider transport={transport}>
      <QueryClientProvider client={queryClient}>
        <TooltipProvider>
          <ToastProvider>
            <RouterProvider router={router} />
          </ToastProvider>
        </TooltipProvider>
      </QueryClientProvider>
    </TransportProvider>,
  );
  await screen.findByRole("heading", { name: "Limits" });
}

const press = (name: string | RegExp) => userEvent.click(screen.getByRole("button", { name }));

test("there are words for every feature of the contract", () => {
  expect(features.map(({ key }) => key)).toEqual(FeaturesSchema.fields.map((field) => field.localName));
});

test("only the feature that was turned is sent", async () => {
  answer = () => ({ ...stored, features: create(FeaturesSchema, { clientEvents: true, watchlist: true }) });
  await open();
  const save = screen.getByRole("button", { name: "Save features" });
  expect(save).toHaveAccessibleDescription("Nothing has changed.");
  await userEvent.click(screen.getByRole("switch", { name: "Watchlist" }));
  await userEvent.click(save);
  expect(await screen.findByText("Features saved")).toBeInTheDocument();
  expect(sent[0]?.features).toMatchObject({ watchlist: true });
  expect(sent[0]?.features?.clientEvents).toBeUndefined();
  expect(sent[0]?.origins).toBeUndefined();
  expect(screen.getByRole("switch", { name: "Watchlist" })).toBeChecked();
  expect(save).toHaveAccessibleDescription("Nothing has changed.");
});

test("a refused origin has its message at its own row, though an empty row was left out", async () => {
  answer = () => refuse("origins", "list", 1);
  await open();
  await press("Add origin");
  await press("Add origin");
  await userEvent.type(screen.getByLabelText("Origin 3"), "bad");
  await press("Save origins");
  expect(await screen.findByText("Not so.")).toBeVisible();
  expect(sent[0]?.origins?.list).toEqual(["https://example.com", "bad"]);
  expect(screen.getByLabelText("Origin 3")).toBeInvalid();
  expect(screen.getByLabelText("Origin 3")).toHaveFocus();
  expect(screen.getByLabelText("Origin 2")).toBeValid();
});

test("several origins are pasted into rows of their own", async () => {
  await open();
  await press("Add origin");
  await userEvent.paste("https://a.example\nhttps://b.example");
  expect(screen.getByLabelText("Origin 2")).toHaveValue("https://a.example");
  expect(screen.getByLabelText("Origin 3")).toHaveValue("https://b.example");
  await press("Remove origin 2");
  expect(screen.getByLabelText("Origin 2")).toHaveValue("https://b.example");
  expect(screen.getByRole("button", { name: "Add origin" })).toHaveFocus();
});

test("the tester asks the server, with the list as it stands in the form", async () => {
  await open();
  await press("Add origin");
  await userEvent.type(screen.getByLabelText("Origin 2"), "https://draft.example");
  await userEvent.type(screen.getByLabelText("Try an origin"), "https://draft.example{Enter}");
  expect(await screen.findByText("Let in by https://draft.example.")).toBeVisible();
  expect(tried).toEqual([
    { origin: "https://draft.example", origins: ["https://example.com", "https://draft.example"] },
  ]);
  expect(sent).toEqual([]);
  await press("Remove origin 2");
  // Another list needs another answer.
  expect(screen.queryByText(/^Let in/)).toBeNull();
  await press("Try");
  expect(await screen.findByText(/^Kept out/)).toBeVisible();

  await press("Add origin");
  await userEvent.type(screen.getByLabelText("Origin 2"), "bad");
  await press("Try");
  expect(await screen.findByText("Correct the marked origin first.")).toBeVisible();
  expect(screen.getByLabelText("Origin 2")).toHaveAccessibleDescription("Not so.");
});

const ruleRows = () =>
  within(screen.getByRole("list", { name: "Channel rules" }))
    .getAllByRole("listitem")
    .map((row) =>
      within(row)
        .getAllByRole("textbox")
        .map((field) => (field as HTMLInputElement).value),
    );

test("rules are added, changed, moved and removed, and all of them are sent", async () => {
  await open();
  expect(ruleRows()).toEqual([
    ["orders-*", "1000", "1 h 30 min"],
    ["news", "1", "1 min"],
  ]);
  await press("Add rule");
  expect(screen.getByLabelText("Pattern of rule 3")).toHaveFocus();
  await userEvent.keyboard("presence-*");
  const messages = screen.getByLabelText("Messages of rule 3");
  await userEvent.clear(messages);
  await userEvent.type(messages, "5,000");
  await press("Move rule 3 up");
  expect(screen.getByRole("button", { name: "Move rule 2 up" })).toHaveFocus();
  expect(screen.getByText("presence-* is rule 2 now.")).toBeInTheDocument();
  await userEvent.keyboard("{Enter}{Enter}");
  // As far as it goes, and no further; the focus stays for the way back.
  expect(screen.getByRole("button", { name: "Move rule 1 up" })).toHaveFocus();
  expect(screen.getByRole("button", { name: "Move rule 1 up" })).toHaveAttribute("aria-disabled", "true");
  await press("Remove rule 3");
  expect(screen.getByRole("button", { name: "Add rule" })).toHaveFocus();
  answer = () => ({ ...stored, channelRules: stored.channelRules.slice(0, 1) });
  await press("Save rules");
  expect(await screen.findByText("Channel rules saved")).toBeInTheDocument();
  expect(sent).toHaveLength(1);
  expect(sent[0]?.channelRules?.list).toMatchObject([
    { pattern: "presence-*", log: { size: 5000, ttlSeconds: 3600 } },
    { pattern: "orders-*", log: { size: 1000, ttlSeconds: 5400 } },
  ]);
  expect(sent[0]?.origins).toBeUndefined();
  // What the server has now is shown.
  expect(ruleRows()).toEqual([["orders-*", "1000", "1 h 30 min"]]);
  expect(screen.getByRole("button", { name: "Save rules" })).toHaveAccessibleDescription(/^Nothing has/);
});

test("without a rule the card says what that means, and none are a list, too", async () => {
  await open();
  await press("Remove rule 1");
  await press("Remove rule 1");
  expect(screen.getByText("No channel has a log")).toBeVisible();
  expect(screen.queryByRole("list", { name: "Channel rules" })).toBeNull();
  await press("Save rules");
  expect(await screen.findByText("Channel rules saved")).toBeInTheDocument();
  expect(sent[0]?.channelRules?.list).toEqual([]);
});

test("what is wrong with a rule is said before the server is asked", async () => {
  await open();
  await press("Add rule");
  await userEvent.clear(screen.getByLabelText("Messages of rule 1"));
  const time = screen.getByLabelText("Time of rule 2");
  await userEvent.clear(time);
  await userEvent.type(time, "25 h");
  await press("Save rules");
  expect(screen.getByLabelText("Messages of rule 1")).toHaveAccessibleDescription("Use 1 to 10,000.");
  expect(time).toHaveAccessibleDescription("Use 1 s to 24 h.");
  expect(screen.getByLabelText("Pattern of rule 3")).toHaveAccessibleDescription(/^Enter a channel's name/);
  expect(screen.getByLabelText("Pattern of rule 1")).toBeValid();
  expect(sent).toEqual([]);
});

test("what the server says of a rule stands at its field, and what has none above", async () => {
  answer = () => refuse("channel_rules", "list", 1, "log", "ttl_seconds");
  await open();
  const time = screen.getByLabelText("Time of rule 2");
  await userEvent.clear(time);
  await userEvent.type(time, "2 min");
  await press("Save rules");
  expect(await screen.findByText("Not so.")).toBeVisible();
  expect(time).toBeInvalid();
  expect(time).toHaveFocus();
  answer = () => {
    throw new ConnectError("x", Code.Unavailable);
  };
  await userEvent.type(time, "{Backspace}{Backspace}{Backspace}{Backspace}m");
  await press("Save rules");
  expect(await screen.findByText(/server is not available/)).toBeVisible();
});

test("a rule behind one for every channel is marked", async () => {
  await open();
  expect(screen.queryByText(/^Never counts/)).toBeNull();
  const pattern = screen.getByLabelText("Pattern of rule 1");
  await userEvent.clear(pattern);
  await userEvent.type(pattern, "*");
  expect(screen.getByText("Never counts: rule 1 stands for every channel.")).toBeVisible();
  await press("Move rule 1 down");
  expect(screen.queryByText(/^Never counts/)).toBeNull();
});

test("limits: only what changed is sent, and an empty field goes back to the default", async () => {
  answer = () => ({ ...stored, limits: [] });
  await open();
  const connections = screen.getByLabelText("Connections");
  expect(connections).toHaveValue("");
  expect(connections).toHaveAttribute("placeholder", "Default: no bound");
  await userEvent.type(connections, "11");
  await press("Save limits");
  expect(connections).toHaveAccessibleDescription("Use a number from 0 to 10.");
  expect(sent).toEqual([]);
  await userEvent.clear(connections);
  await press("Reset event data to its default");
  expect(screen.getByLabelText("Event data")).toHaveValue("");
  await press("Save limits");
  expect(await screen.findByText("Limits saved")).toBeInTheDocument();
  expect(sent[0]?.limits?.payloadBytes).toMatchObject({});
  expect(sent[0]?.limits?.payloadBytes?.value).toBeUndefined();
  expect(sent[0]?.limits?.connections).toBeUndefined();
});

test("what the server says of a limit stands at its field", async () => {
  answer = () => refuse("limits", "payload_bytes");
  await open();
  const data = screen.getByLabelText("Event data");
  await userEvent.clear(data);
  await userEvent.type(data, "7");
  await press("Save limits");
  expect(await screen.findByText("Not so.")).toBeVisible();
  expect(data).toBeInvalid();
  expect(data).toHaveFocus();
});

test("a role that may only look sees why, and can still try an origin", async () => {
  await open([Permission.APPS_READ]);
  const why = /Your role, viewer/;
  const client = screen.getByRole("switch", { name: "Client events" });
  expect(client).toHaveAccessibleDescription(why);
  await userEvent.click(client);
  expect(client).toBeChecked();
  for (const name of [
    "Save features",
    "Add origin",
    "Save origins",
    "Add rule",
    "Save rules",
    "Save limits",
  ]) {
    expect(screen.getByRole("button", { name })).toHaveAccessibleDescription(why);
  }
  expect(screen.getByLabelText("Origin 1")).toHaveAttribute("readonly");
  expect(screen.getByLabelText("Event data")).toHaveAttribute("readonly");
  expect(screen.getByLabelText("Pattern of rule 1")).toHaveAttribute("readonly");
  expect(screen.queryByRole("button", { name: /^(Remove|Reset|Move)/ })).toBeNull();
  await userEvent.type(screen.getByLabelText("Try an origin"), "https://example.com{Enter}");
  expect(await screen.findByText("Let in by https://example.com.")).toBeVisible();
});

test("a page with changes is not left without a question", async () => {
  await open();
  await userEvent.click(screen.getByRole("switch", { name: "TLS only" }));
  expect(screen.getByText(/reached without TLS/)).toBeVisible();
  await userEvent.click(screen.getByRole("link", { name: "Elsewhere" }));
  const dialog = await screen.findByRole("alertdialog", { name: "Leave without saving?" });
  expect(dialog).toHaveTextContent("Features");
  await userEvent.click(within(dialog).getByRole("button", { name: "Stay" }));
  expect(screen.getByRole("switch", { name: "TLS only" })).toBeChecked();
  await userEvent.click(screen.getByRole("link", { name: "Elsewhere" }));
  await userEvent.click(await screen.findByRole("button", { name: "Leave" }));
  expect(await screen.findByRole("heading", { name: "Elsewhere" })).toBeVisible();
});
