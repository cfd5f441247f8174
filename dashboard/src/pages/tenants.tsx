import { useNavigate, useSearch } from "@tanstack/react-router";
import { Building2 } from "lucide-react";
import { useTenants } from "../api/operators";
import { type Plan, usePlans } from "../api/plans";
import { FilterInput } from "../components/filter-input";
import { Page } from "../components/page";
import { planName } from "../components/plan-name";
import { LoadProblem } from "../components/problem";
import { cut, filterOf, isFiltered, type TenantsSearch } from "../components/tenants-search";
import { TenantsTable, TenantsTableSkeleton } from "../components/tenants-table";
import { usePausing } from "../components/use-pausing";
import { useProblemToast } from "../components/use-problem-toast";
import { Button } from "../ui/button";
import { CodeBlock } from "../ui/code-block";
import { Empty } from "../ui/empty";
import { Select } from "../ui/select";

export function TenantsPage() {
  const search = useSearch({ from: "/shell/platform/tenants" });
  const navigate = useNavigate();
  const go = (next: TenantsSearch) => void navigate({ to: "/platform/tenants", search: next, replace: true });
  const { tenants, error, refetch, isFetching, hasNextPage, fetchNextPage, isFetchingNextPage } = useTenants(
    filterOf(search),
  );
  const { plans } = usePlans();
  const tellProblem = useProblemToast();

  async function more() {
    const { error } = await fetchNextPage();
    if (error) tellProblem("More tenants could not be loaded", error);
  }

  return (
    <Page
      title="Tenants"
      context="Platform"
      description="Everybody who has an account on this platform, newest first."
    >
      <div className="flex flex-col gap-4">
        <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
          <Filters search={search} plans={plans} onChange={go} />
          {tenants && (
            <p role="status" className="shrink-0 text-13 text-muted tabular-nums">
              {tenants.length}
              {hasNextPage ? "+" : ""} {tenants.length === 1 && !hasNextPage ? "tenant" : "tenants"}
            </p>
          )}
        </div>
        {tenants === undefined && error && (
          <LoadProblem what="the tenants" error={error} onRetry={() => void refetch()} busy={isFetching} />
        )}
        {tenants === undefined && !error && <TenantsTableSkeleton />}
        {tenants?.length === 0 && <Nobody search={search} plans={plans} onClear={() => go({})} />}
        {tenants && tenants.length > 0 && <TenantsTable tenants={tenants} plans={plans} />}
        {hasNextPage && (
          <Button className="self-center" busy={isFetchingNextPage} onClick={more}>
            Load more
          </Button>
        )}
      </div>
    </Page>
  );
}

function Nobody({
  search,
  plans,
  onClear,
}: {
  search: TenantsSearch;
  plans: readonly Plan[] | undefined;
  onClear: () => void;
}) {
  if (!isFiltered(search)) {
    return (
      <Empty icon={<Building2 aria-hidden className="size-5" />} title="There are no tenants yet">
        <p>A tenant comes with everybody who signs up, and with a file that is applied on the host:</p>
        <div className="mt-4 text-left">
          <CodeBlock title="On the host" language="bash" code="peal apply -f tenants.yaml" />
        </div>
      </Empty>
    );
  }
  return (
    <Empty
      icon={<Building2 aria-hidden className="size-5" />}
      title="No tenant matches"
      action={<Button onClick={onClear}>Clear the filter</Button>}
    >
      <p className="break-words">
        No {search.suspended && "suspended "}tenant
        {search.q && (
          <>
            {" "}
            has “<bdi>{search.q}</bdi>” in its name or in the address of an owner, or as its whole id
          </>
        )}
        {search.plan && (
          <>
            {search.q ? ", and" : " has"} the plan <bdi>{planName(search.plan, plans)}</bdi>
          </>
        )}
        {!search.q && !search.plan && " is there"}.
      </p>
    </Empty>
  );
}

const states = [
  { value: "all", label: "Any status" },
  { value: "suspended", label: "Suspended only" },
] as const;

/** All of it is in the address. Text is asked for when who types pauses. */
function Filters({
  search,
  plans,
  onChange,
}: {
  search: TenantsSearch;
  plans: readonly Plan[] | undefined;
  onChange: (search: TenantsSearch) => void;
}) {
  const { q, plan, suspended } = search;
  const rest = { ...(plan ? { plan } : {}), ...(suspended ? { suspended } : {}) };
  const [text, setText] = usePausing(q ?? "", (value) =>
    onChange({ ...rest, ...(value ? { q: value } : {}) }),
  );
  // Also one that is not there any more, or not loaded yet: the address says that it is asked for.
  const known = plans?.map(({ id, name }) => ({ value: id, label: name })) ?? [];
  const choices = [
    { value: "", label: "Every plan" },
    ...known,
    ...(plan && !known.some(({ value }) => value === plan) ? [{ value: plan, label: plan }] : []),
  ];
  return (
    <search className="flex min-w-0 flex-1 flex-wrap items-center gap-3 max-sm:basis-full">
      <FilterInput label="Name, owner or id" value={text} onChange={(value) => setText(cut(value))} />
      <Select
        aria-label="Plan"
        className="w-44 max-sm:w-auto max-sm:flex-1"
        choices={choices}
        value={plan ?? ""}
        onChange={(value) =>
          onChange({
            ...(q ? { q } : {}),
            ...(suspended ? { suspended } : {}),
            ...(value ? { plan: value } : {}),
          })
        }
      />
      <Select
        aria-label="Status"
        className="w-44 max-sm:w-auto max-sm:flex-1"
        choices={states}
        value={suspended ? "suspended" : "all"}
        onChange={(value) =>
          onChange({
            ...(q ? { q } : {}),
            ...(plan ? { plan } : {}),
            ...(value === "suspended" ? { suspended: true as const } : {}),
          })
        }
      />
    </search>
  );
}
