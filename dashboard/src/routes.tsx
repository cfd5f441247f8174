import type { Transport } from "@connectrpc/connect";
import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { prefetchApp, prefetchApps } from "./api/apps";
import { isSignedIn, loadAccount } from "./api/auth";
import { isSignedOut } from "./api/errors";
import { prefetchKeys } from "./api/keys";
import { prefetchPlatform } from "./api/platform";
import { readAuditSearch } from "./components/audit-search";
import { localPath } from "./components/local-path";
import { PageSkeleton } from "./components/page-skeleton";
import { filterOf, readTenantsSearch } from "./components/tenants-search";
import {
  choose,
  type Order,
  readUsageSearch,
  sinceOf,
  thisMinute,
  type UsageSearch,
  usageOrders,
} from "./components/usage-range";
import { FailurePage } from "./pages/failure";
import { NotFoundPage } from "./pages/not-found";

// The map of the dashboard. Loaders start what a page will ask for, and do not wait for it: each page draws its own
// loading state.

type Context = { queryClient: QueryClient; transport: Transport };

declare module "@tanstack/react-router" {
  interface StaticDataRouteOption {
    /** The last word of the breadcrumb. */
    crumb?: string;
    /** What stands before it, where that is not the tenant. */
    above?: readonly { to: "/platform/tenants" | "/platform/plans"; label: string }[];
  }
}

const root = createRootRouteWithContext<Context>()({ component: Outlet });

const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);

/** Asks for usage as its page will; with its page and not before, as for settings. */
function startUsage({ queryClient, transport }: Context, appId: string, search: UsageSearch): void {
  const chosen = choose(search);
  void import("./api/usage").then(({ prefetchUsage }) =>
    prefetchUsage(queryClient, transport, appId, chosen.step, sinceOf(chosen, thisMinute())),
  );
}

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  validateSearch: (search): { next?: string } => {
    const next = localPath(search["next"]);
    return next ? { next } : {};
  },
  beforeLoad: async ({ context, search }) => {
    if (!(await isSignedIn(context.queryClient, context.transport))) return;
    throw redirect({ href: search.next ?? "/apps", replace: true });
  },
  component: lazyRouteComponent(() => import("./pages/login"), "LoginPage"),
});

const signup = createRoute({
  getParentRoute: () => root,
  path: "/signup",
  component: lazyRouteComponent(() => import("./pages/signup"), "SignupPage"),
});

/** Everything below it needs a session. */
const shell = createRoute({
  getParentRoute: () => root,
  id: "shell",
  beforeLoad: async ({ context, location }) => {
    try {
      await loadAccount(context.queryClient, context.transport);
    } catch (error) {
      if (!isSignedOut(error)) throw error;
      const next = location.href === "/" || location.href === "/apps" ? {} : { next: location.href };
      throw redirect({ to: "/login", search: next });
    }
  },
  loader: ({ context }) => {
    void prefetchApps(context.queryClient, context.transport);
    void prefetchPlatform(context.queryClient, context.transport);
  },
  component: lazyRouteComponent(() => import("./components/shell"), "Shell"),
  pendingComponent: () => <PageSkeleton what="the dashboard" />,
});

const home = createRoute({
  getParentRoute: () => shell,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/apps", replace: true });
  },
});

const apps = createRoute({
  getParentRoute: () => shell,
  path: "/apps",
  validateSearch: (search): { q?: string } => {
    // A filter of digits alone is read from the address as a number.
    const q = text(typeof search["q"] === "number" ? String(search["q"]) : search["q"]);
    return q ? { q } : {};
  },
  staticData: { crumb: "Apps" },
  component: lazyRouteComponent(() => import("./pages/apps"), "AppsPage"),
});

const newApp = createRoute({
  getParentRoute: () => shell,
  path: "/apps/new",
  staticData: { crumb: "Create app" },
  component: lazyRouteComponent(() => import("./pages/new-app"), "NewAppPage"),
});

const app = createRoute({
  getParentRoute: () => shell,
  path: "/apps/$appId",
  loader: ({ context, params }) => {
    void prefetchApp(context.queryClient, context.transport, params.appId);
    void prefetchKeys(context.queryClient, context.transport, params.appId);
  },
  component: lazyRouteComponent(() => import("./components/current-app"), "AppGate"),
});

const appHome = createRoute({
  getParentRoute: () => app,
  path: "/",
  beforeLoad: ({ params }) => {
    throw redirect({ to: "/apps/$appId/start", params, replace: true });
  },
});

const start = createRoute({
  getParentRoute: () => app,
  path: "/start",
  validateSearch: (search): { lib?: string } => {
    const lib = text(search["lib"]);
    return lib ? { lib } : {};
  },
  staticData: { crumb: "Get started" },
  component: lazyRouteComponent(() => import("./pages/start"), "StartPage"),
});

const keys = createRoute({
  getParentRoute: () => app,
  path: "/keys",
  staticData: { crumb: "Keys" },
  component: lazyRouteComponent(() => import("./pages/keys"), "KeysPage"),
});

const appUsage = createRoute({
  getParentRoute: () => app,
  path: "/usage",
  validateSearch: readUsageSearch,
  loaderDeps: ({ search }) => search,
  loader: ({ context, params, deps }) => startUsage(context, params.appId, deps),
  staticData: { crumb: "Usage" },
  component: lazyRouteComponent(() => import("./pages/usage"), "AppUsagePage"),
});

const settings = createRoute({
  getParentRoute: () => app,
  path: "/settings",
  // With its page and not before: nothing else needs the schema of settings.
  loader: ({ context, params }) => {
    void import("./api/settings").then(({ prefetchAppSettings }) =>
      prefetchAppSettings(context.queryClient, context.transport, params.appId),
    );
  },
  staticData: { crumb: "Settings" },
  component: lazyRouteComponent(() => import("./pages/settings"), "SettingsPage"),
});

const usage = createRoute({
  getParentRoute: () => shell,
  path: "/usage",
  validateSearch: (search): UsageSearch & { by?: Order } => {
    const by = usageOrders.find((order) => order === search["by"]);
    return { ...readUsageSearch(search), ...(by ? { by } : {}) };
  },
  loaderDeps: ({ search }) => search,
  loader: ({ context, deps }) => startUsage(context, "", deps),
  staticData: { crumb: "Usage" },
  component: lazyRouteComponent(() => import("./pages/usage"), "TenantUsagePage"),
});

const audit = createRoute({
  getParentRoute: () => shell,
  path: "/audit",
  validateSearch: readAuditSearch,
  staticData: { crumb: "Audit" },
  component: lazyRouteComponent(() => import("./pages/audit"), "AuditPage"),
});

const members = createRoute({
  getParentRoute: () => shell,
  path: "/members",
  // With its page and not before: nothing else needs the schema of members.
  loader: ({ context }) => {
    void import("./api/members").then(({ prefetchMembers }) =>
      prefetchMembers(context.queryClient, context.transport),
    );
  },
  staticData: { crumb: "Members" },
  component: lazyRouteComponent(() => import("./pages/members"), "MembersPage"),
});

const profile = createRoute({
  getParentRoute: () => shell,
  path: "/profile",
  staticData: { crumb: "Profile" },
  component: lazyRouteComponent(() => import("./pages/profile"), "ProfilePage"),
});

const sessions = createRoute({
  getParentRoute: () => shell,
  path: "/sessions",
  staticData: { crumb: "Sessions" },
  component: lazyRouteComponent(() => import("./pages/sessions"), "SessionsPage"),
});

const twoFactor = createRoute({
  getParentRoute: () => shell,
  path: "/two-factor",
  staticData: { crumb: "Two-factor login" },
  component: lazyRouteComponent(() => import("./pages/two-factor"), "TwoFactorPage"),
});

const tokens = createRoute({
  getParentRoute: () => shell,
  path: "/tokens",
  staticData: { crumb: "API tokens" },
  component: lazyRouteComponent(() => import("./pages/tokens"), "TokensPage"),
});

// What operators of the platform do, above all tenants.

const platformCrumb = { to: "/platform/tenants", label: "Platform" } as const;

/** Starts what an operator's page will ask for. For others the page says why there is nothing, and nothing is asked. */
async function forOperators({ queryClient, transport }: Context, start: () => Promise<unknown>) {
  const account = await loadAccount(queryClient, transport);
  if (account?.operator) void start();
}

const platform = createRoute({
  getParentRoute: () => shell,
  path: "/platform",
  component: lazyRouteComponent(() => import("./components/operators-only"), "OperatorsOnly"),
});

const platformHome = createRoute({
  getParentRoute: () => platform,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/platform/tenants", replace: true });
  },
});

const tenants = createRoute({
  getParentRoute: () => platform,
  path: "/tenants",
  validateSearch: readTenantsSearch,
  loaderDeps: ({ search }) => ({ search }),
  loader: ({ context, deps }) =>
    forOperators(context, () =>
      import("./api/operators").then(({ prefetchTenants }) =>
        prefetchTenants(context.queryClient, context.transport, filterOf(deps.search)),
      ),
    ),
  staticData: { crumb: "Tenants", above: [platformCrumb] },
  component: lazyRouteComponent(() => import("./pages/tenants"), "TenantsPage"),
});

const tenant = createRoute({
  getParentRoute: () => platform,
  path: "/tenants/$tenantId",
  loader: ({ context, params }) =>
    forOperators(context, () =>
      import("./api/operators").then(({ prefetchTenant }) =>
        prefetchTenant(context.queryClient, context.transport, params.tenantId),
      ),
    ),
  staticData: { crumb: "Tenant", above: [platformCrumb, { to: "/platform/tenants", label: "Tenants" }] },
  component: lazyRouteComponent(() => import("./pages/tenant"), "TenantPage"),
});

const loadPlans = ({ context }: { context: Context }) =>
  forOperators(context, () =>
    import("./api/plans").then(({ prefetchPlans }) => prefetchPlans(context.queryClient, context.transport)),
  );

const plans = createRoute({
  getParentRoute: () => platform,
  path: "/plans",
  loader: loadPlans,
  staticData: { crumb: "Plans", above: [platformCrumb] },
  component: lazyRouteComponent(() => import("./pages/plans"), "PlansPage"),
});

const plansCrumbs = [platformCrumb, { to: "/platform/plans", label: "Plans" }] as const;

/** Not below /plans: "new" may be the id of one. */
const newPlan = createRoute({
  getParentRoute: () => platform,
  path: "/new-plan",
  loader: loadPlans,
  staticData: { crumb: "Create plan", above: plansCrumbs },
  component: lazyRouteComponent(() => import("./pages/plan"), "NewPlanPage"),
});

const plan = createRoute({
  getParentRoute: () => platform,
  path: "/plans/$planId",
  loader: loadPlans,
  staticData: { crumb: "Plan", above: plansCrumbs },
  component: lazyRouteComponent(() => import("./pages/plan"), "PlanPage"),
});

/** Inside the shell, so that who mistyped an address can go on from there. */
const elsewhere = createRoute({ getParentRoute: () => shell, path: "$", component: NotFoundPage });

const dashboard = shell.addChildren([
  elsewhere,
  home,
  apps,
  newApp,
  usage,
  audit,
  members,
  profile,
  sessions,
  twoFactor,
  tokens,
  platform.addChildren([platformHome, tenants, tenant, plans, newPlan, plan]),
  app.addChildren([appHome, start, keys, appUsage, settings]),
]);

// Pages that links in mails lead to, whoever is signed in. What is behind the # of an address is a token, and read by them.

const invitation = createRoute({
  getParentRoute: () => root,
  path: "/invitation",
  component: lazyRouteComponent(() => import("./pages/invitation"), "InvitationPage"),
});

const verifyEmail = createRoute({
  getParentRoute: () => root,
  path: "/verify-email",
  component: lazyRouteComponent(() => import("./pages/verify-email"), "VerifyEmailPage"),
});

const forgotPassword = createRoute({
  getParentRoute: () => root,
  path: "/forgot-password",
  component: lazyRouteComponent(() => import("./pages/forgot-password"), "ForgotPasswordPage"),
});

const resetPassword = createRoute({
  getParentRoute: () => root,
  path: "/reset-password",
  component: lazyRouteComponent(() => import("./pages/reset-password"), "ResetPasswordPage"),
});

const pages = [login, signup, invitation, verifyEmail, forgotPassword, resetPassword, dashboard] as const;

// The gallery of primitives is a tool of ours; the condition is a constant, so a build leaves the page out.
const gallery = import.meta.env.DEV
  ? [
      createRoute({
        getParentRoute: () => root,
        path: "/gallery",
        component: lazyRouteComponent(() => import("./pages/gallery"), "GalleryPage"),
      }),
    ]
  : [];

const tree = root.addChildren([...pages, ...gallery]);

export function createAppRouter(context: Context) {
  return createRouter({
    routeTree: tree,
    context,
    // What no route asks for is dropped, or an unchecked parameter would come through beside the checked ones.
    search: { strict: true },
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    scrollRestoration: true,
    defaultErrorComponent: FailurePage,
    defaultNotFoundComponent: NotFoundPage,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
