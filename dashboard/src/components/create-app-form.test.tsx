import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { TransportProvider } from "@connectrpc/connect-query";
import { QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from "@tanstack/react-router";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { loadAccount } from "../api/auth";
import { createQueryClient } from "../api/query-client";
// biome-ignore lint/style/noRestrictedImports: the test plays the server, which speaks the generated types
import { ViolationsSchema } from "../gen/buf/validate/validate_pb";
// biome-ignore lint/style/noRestrictedImports: see above
import { AppService } from "../gen/peal/admin/v1/apps_pb";
// biome-ignore lint/style/noRestrictedImports: see above
import { AuthService } from "../gen/peal/admin/v1/auth_pb";
// biome-ignore lint/style/noRestrictedImports: see above
import { Permission } from "../gen/peal/admin/v1/permission_pb";
import { TooltipProvider } from "../ui/tooltip";
import { CreateAppForm } from "./create-app-form";

let refusal: ConnectError;
let sent: string[];
beforeEach(() => {
  sent = [];
});

async function open(permissions: Permission[]) {
  const transport = createRouterTransport((server) => {
    server.service(AppService, {
      createApp: ({ name }) => {
        sent.push(name);
        throw refusal;
      },
    });
    server.service(AuthService, {
      whoAmI: () => ({ account: { role: "viewer", tenantName: "Works", permissions } }),
    });
  });
  const queryClient = createQueryClient();
  await loadAccount(queryClient, transport);
  const router = createRouter({
    routeTree: createRootRoute({ component: CreateAppForm }),
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
  return screen.findByRole("textbox", { name: "Name" });
}

const submit = () => userEvent.click(screen.getByRole("button", { name: "Create app" }));

test("what the server says of a field stands at the field", async () => {
  const value = create(ViolationsSchema, {
    violations: [{ field: { elements: [{ fieldName: "name" }] }, message: "another app has this name" }],
  });
  refusal = new ConnectError("taken", Code.AlreadyExists, {}, [{ desc: ViolationsSchema, value }]);
  const name = await open([Permission.APPS_WRITE]);
  await userEvent.type(name, "  Chat ");
  await submit();
  expect(await screen.findByText("Another app has this name.")).toBeVisible();
  expect(name).toBeInvalid();
  expect(name).toHaveAccessibleDescription("Another app has this name.");
  expect(sent).toEqual(["Chat"]);
});

test("what concerns no field stands above, with the request id", async () => {
  refusal = new ConnectError("away", Code.Unavailable, { "x-request-id": "r-7" });
  await userEvent.type(await open([Permission.APPS_WRITE]), "Chat");
  await submit();
  expect(await screen.findByRole("alert")).toHaveTextContent("The server is not available");
  expect(screen.getByRole("alert")).toHaveTextContent("r-7");
});

test("a name of spaces is not sent", async () => {
  const name = await open([Permission.APPS_WRITE]);
  await userEvent.type(name, "   ");
  await submit();
  expect(name).toHaveAccessibleDescription("Enter a name.");
  expect(sent).toEqual([]);
});

test("a role that may not create apps reads why", async () => {
  await userEvent.type(await open([Permission.APPS_READ]), "Chat{Enter}");
  expect(screen.getByRole("button", { name: "Create app" })).toHaveAccessibleDescription(/Your role, viewer/);
  expect(sent).toEqual([]);
});
