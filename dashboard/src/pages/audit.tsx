import { useNavigate, useSearch } from "@tanstack/react-router";
import { Download, ScrollText, X } from "lucide-react";
import { type AuditFilter, auditFile, useAuditEvents } from "../api/audit";
import { useAccount } from "../api/auth";
import { Permission, useReasonAgainst } from "../api/permission";
import { type AuditSearch, filterOf, isFiltered, nouns, times } from "../components/audit-search";
import { AuditTable, AuditTableSkeleton } from "../components/audit-table";
import { actionInWords } from "../components/audit-words";
import { FilterInput } from "../components/filter-input";
import { Page } from "../components/page";
import { LoadProblem } from "../components/problem";
import { useNow } from "../components/use-now";
import { usePausing } from "../components/use-pausing";
import { useProblemToast } from "../components/use-problem-toast";
import { Button, buttonClass } from "../ui/button";
import { Empty } from "../ui/empty";
import { Input } from "../ui/field";
import { Select } from "../ui/select";

export function AuditPage() {
  const { tenantName } = useAccount();
  const reason = useReasonAgainst(Permission.AUDIT_READ);
  const search = useSearch({ from: "/shell/audit" });
  const filter = filterOf(search, useNow(60_000));
  return (
    <Page
      title="Audit"
      context={tenantName}
      description="Every change of your apps, keys and people: who made it, from where, and what was before. Nothing in it can be changed or removed."
      actions={reason === undefined && <Files filter={filter} />}
    >
      {reason === undefined ? (
        <Log search={search} filter={filter} />
      ) : (
        <Empty
          icon={<ScrollText aria-hidden className="size-5" />}
          title="The audit log is for owners and admins"
        >
          {reason}
        </Empty>
      )}
    </Page>
  );
}

function Files({ filter }: { filter: AuditFilter }) {
  const icon = <Download aria-hidden className="size-4" />;
  return (
    <>
      <a href={auditFile("csv", filter)} download className={buttonClass()}>
        {icon}
        Export CSV
      </a>
      <a href={auditFile("jsonl", filter)} download className={buttonClass()}>
        {icon}
        JSON lines
      </a>
    </>
  );
}

function Log({ search, filter }: { search: AuditSearch; filter: AuditFilter }) {
  const navigate = useNavigate();
  const go = (next: AuditSearch) => void navigate({ to: "/audit", search: next, replace: true });
  const { events, error, refetch, isFetching, hasNextPage, fetchNextPage, isFetchingNextPage } =
    useAuditEvents(filter, true);
  const tellProblem = useProblemToast();

  async function more() {
    const { error } = await fetchNextPage();
    if (error) tellProblem("More events could not be loaded", error);
  }

  return (
    <div className="flex flex-col gap-4">
      <Filters search={search} onChange={go} />
      {events === undefined && error && (
        <LoadProblem what="the audit log" error={error} onRetry={() => void refetch()} busy={isFetching} />
      )}
      {events === undefined && !error && <AuditTableSkeleton />}
      {events?.length === 0 && (
        <Empty
          icon={<ScrollText aria-hidden className="size-5" />}
          title={isFiltered(search) ? "No change matches" : "Nothing was changed yet"}
          action={isFiltered(search) && <Button onClick={() => go({})}>Clear the filter</Button>}
        >
          {isFiltered(search)
            ? "Try another word, a longer time, or everybody."
            : "What you and your colleagues change will be told here."}
        </Empty>
      )}
      {events && events.length > 0 && (
        <AuditTable
          events={events}
          open={search.event}
          onOpen={(event) => {
            const { event: _, ...rest } = search;
            go(event ? { ...rest, event } : rest);
          }}
        />
      )}
      {hasNextPage && (
        <Button className="self-center" busy={isFetchingNextPage} onClick={more}>
          Load more
        </Button>
      )}
    </div>
  );
}

/** All of it is in the address. Text is asked for when who types pauses. */
function Filters({ search, onChange }: { search: AuditSearch; onChange: (search: AuditSearch) => void }) {
  const { event: _, ...filter } = search;
  const set = (change: { [name in keyof AuditSearch]?: AuditSearch[name] | undefined }) =>
    onChange(
      Object.fromEntries(
        Object.entries({ ...filter, ...change }).filter(([, value]) => value && value !== "any"),
      ),
    );
  const [q, setQ] = usePausing(search.q ?? "", (value) => set({ q: value }));
  const [who, setWho] = usePausing(search.who ?? "", (value) => set({ who: value }));
  const known = nouns.some(({ value }) => value === (search.action ?? ""));
  const actions = known
    ? nouns
    : [...nouns, { value: search.action ?? "", label: actionInWords(search.action ?? "") }];
  return (
    <search className="flex flex-wrap items-center gap-3">
      <FilterInput label="Find text in changes" value={q} onChange={setQ} />
      <Input
        aria-label="Who, by email"
        placeholder="Who, by email"
        value={who}
        onChange={(change) => setWho(change.target.value)}
        className="w-full sm:w-56"
      />
      <Select
        aria-label="Action"
        className="w-40 max-sm:flex-1"
        choices={actions}
        value={search.action ?? ""}
        onChange={(action) => set({ action })}
      />
      <Select
        aria-label="Time"
        className="w-40 max-sm:flex-1"
        choices={times}
        value={search.time ?? "any"}
        onChange={(time) => set({ time })}
      />
      {search.target && (
        <Button
          icon={<X aria-hidden className="size-4" />}
          onClick={() => set({ target: undefined })}
          aria-label={`Show changes of everything, not only of ${search.target}`}
        >
          <span className="max-w-40 truncate">Only {search.target}</span>
        </Button>
      )}
    </search>
  );
}
