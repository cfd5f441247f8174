import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Boxes, Plus } from "lucide-react";
import { useApps } from "../api/apps";
import { useAccount } from "../api/auth";
import { Permission, useReasonAgainst } from "../api/permission";
import { AppsTable, AppsTableSkeleton } from "../components/apps-table";
import { CreateAppForm } from "../components/create-app-form";
import { FilterInput } from "../components/filter-input";
import { matches } from "../components/matches";
import { Page } from "../components/page";
import { LoadProblem } from "../components/problem";
import { useProblemToast } from "../components/use-problem-toast";
import { Button, buttonClass } from "../ui/button";
import { Empty } from "../ui/empty";
import { useShortcut } from "../ui/shortcut";

export function AppsPage() {
  const { apps, error, refetch, isFetching } = useApps();
  const { tenantName } = useAccount();
  const some = apps !== undefined && apps.length > 0;

  return (
    <Page
      title="Apps"
      context={tenantName}
      description="Each app has keys and channels of its own, apart from every other app."
      actions={some && <CreateApp />}
    >
      {apps === undefined && error && (
        <LoadProblem what="your apps" error={error} onRetry={() => void refetch()} busy={isFetching} />
      )}
      {apps === undefined && !error && <AppsTableSkeleton />}
      {apps?.length === 0 && <FirstApp />}
      {some && <AppList />}
    </Page>
  );
}

function CreateApp() {
  const reason = useReasonAgainst(Permission.APPS_WRITE);
  const navigate = useNavigate();
  const go = () => void navigate({ to: "/apps/new" });
  useShortcut("c", () => reason ?? go());
  const icon = <Plus aria-hidden className="size-4" />;
  if (reason) {
    return (
      <Button variant="primary" icon={icon} reason={reason}>
        Create app
      </Button>
    );
  }
  return (
    <Link to="/apps/new" className={buttonClass("primary")}>
      {icon}
      Create app
    </Link>
  );
}

function FirstApp() {
  return (
    <Empty
      icon={<Boxes aria-hidden className="size-5" />}
      title="Create your first app"
      action={
        <div className="w-96 max-w-full">
          <CreateAppForm autoFocus />
        </div>
      }
    >
      <p>There are no apps yet. Name one, and the next page has the code that sends its first event.</p>
    </Empty>
  );
}

function AppList() {
  const { apps = [], hasNextPage, fetchNextPage, isFetchingNextPage } = useApps();
  const { q = "" } = useSearch({ from: "/shell/apps" });
  const navigate = useNavigate();
  const tellProblem = useProblemToast();
  const found = apps.filter((app) => app.id === q.trim() || matches(q, app.name));
  const filter = (value: string) =>
    void navigate({ to: "/apps", search: value ? { q: value } : {}, replace: true });

  async function more() {
    const { error } = await fetchNextPage();
    if (error) tellProblem("More apps could not be loaded", error);
  }

  return (
    <div className="flex flex-col gap-4">
      <div className="flex items-center justify-between gap-4">
        <FilterInput label="Filter by name or id" value={q} onChange={filter} />
        <p role="status" className="shrink-0 text-13 text-muted tabular-nums">
          {q ? `${found.length} of ` : ""}
          {apps.length}
          {hasNextPage ? "+" : ""} {apps.length === 1 && !hasNextPage ? "app" : "apps"}
        </p>
      </div>
      {found.length > 0 ? (
        <AppsTable apps={found} />
      ) : (
        <Empty title="No app matches" action={<Button onClick={() => filter("")}>Clear the filter</Button>}>
          <p className="break-words">
            {hasNextPage ? "None of the apps loaded so far" : "None of your apps"} is named like “
            <bdi>{q}</bdi>”.
          </p>
        </Empty>
      )}
      {hasNextPage && (
        <Button className="self-center" busy={isFetchingNextPage} onClick={more}>
          Load more
        </Button>
      )}
    </div>
  );
}
