import { Link } from "@tanstack/react-router";
import { ChevronRight } from "lucide-react";
import { Fragment, type ReactNode, useId } from "react";
import type { AuditEvent } from "../api/audit";
import { toDate } from "../api/time";
import { CopyButton } from "../ui/copy-button";
import { cx } from "../ui/cx";
import { Skeleton } from "../ui/skeleton";
import { Head, Row, Table, Td, Th } from "../ui/table";
import { Ago } from "./ago";
import { actionInWords, actorInWords, differencesOf, targetOf } from "./audit-words";
import { Name } from "./name";
import { useWiderThan } from "./use-width";

/** Changes, newest first. One of them can be open, which is in the address. */
export function AuditTable({
  events,
  open,
  onOpen,
}: {
  events: readonly AuditEvent[];
  open: string | undefined;
  onOpen: (id: string | undefined) => void;
}) {
  return (
    <Table label="Audit log" className="table-fixed">
      <AuditHead />
      <tbody>
        {events.map((event) => (
          <Event
            key={event.id}
            event={event}
            open={event.id === open}
            onToggle={() => onOpen(event.id === open ? undefined : event.id)}
          />
        ))}
      </tbody>
    </Table>
  );
}

function AuditHead() {
  return (
    <Head>
      <Th>What</Th>
      <Th className="max-md:hidden">Who</Th>
      <Th className="w-36 max-lg:hidden">From</Th>
      <Th className="w-32 max-sm:w-28">When</Th>
    </Head>
  );
}

function Event({ event, open, onToggle }: { event: AuditEvent; open: boolean; onToggle: () => void }) {
  const detailId = useId();
  const { name, id } = targetOf(event);
  // A cell that spans columns that are not drawn would make them.
  const columns = 2 + Number(useWiderThan(48)) + Number(useWiderThan(64));
  return (
    <Fragment>
      <Row className="relative">
        <Td>
          {/* The button covers its whole row. */}
          <button
            type="button"
            aria-expanded={open}
            aria-controls={open ? detailId : undefined}
            onClick={onToggle}
            className="-outline-offset-2 flex w-full min-w-0 items-center gap-2 py-1 text-left after:absolute after:inset-0"
          >
            <ChevronRight
              aria-hidden
              className={cx(
                "size-4 shrink-0 text-muted transition-transform duration-100",
                open && "rotate-90",
              )}
            />
            <span className="min-w-0">
              <span className="flex min-w-0 gap-2">
                <span className="shrink-0 font-medium">{actionInWords(event.action)}</span>
                {name ? (
                  <Name className="text-muted max-sm:hidden">{name}</Name>
                ) : (
                  <code className="truncate text-12 text-muted leading-5 max-sm:hidden">{id}</code>
                )}
              </span>
              <span className="block truncate text-12 text-muted md:hidden">{actorInWords(event)}</span>
            </span>
          </button>
        </Td>
        <Td className="max-md:hidden">
          <Name>{actorInWords(event)}</Name>
        </Td>
        <Td className="max-lg:hidden">
          <span className="block truncate text-muted tabular-nums">{event.ip}</span>
        </Td>
        <Td className="text-muted">
          <span className="relative">{event.time && <Ago date={toDate(event.time)} />}</span>
        </Td>
      </Row>
      {open && (
        <tr className="border-line not-last:border-b bg-panel">
          <td id={detailId} colSpan={columns} className="px-4 py-4 sm:pl-10">
            <Detail event={event} />
          </td>
        </tr>
      )}
    </Fragment>
  );
}

function Detail({ event }: { event: AuditEvent }) {
  const differences = differencesOf(event);
  return (
    <div className="flex flex-col gap-4">
      {differences.length > 0 ? (
        <table aria-label="Before and after" className="w-full table-fixed text-13">
          <thead className="text-left text-12 text-muted">
            <tr>
              <th scope="col" className="w-1/3 pb-1 font-medium">
                Field
              </th>
              <th scope="col" className="pb-1 font-medium">
                Before
              </th>
              <th scope="col" className="pb-1 font-medium">
                After
              </th>
            </tr>
          </thead>
          <tbody>
            {differences.map(({ field, before, after }) => (
              <tr key={field} className="border-line border-t align-top">
                <th scope="row" className="break-words py-1.5 pr-4 text-left font-normal">
                  <code className="text-12">{field}</code>
                </th>
                <Value of={before} className="text-muted" />
                <Value of={after} />
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <p className="text-13 text-muted">
          This was looked at, or done to something that has no fields. Nothing was changed.
        </p>
      )}
      <dl className="grid gap-x-8 gap-y-2 text-12 sm:grid-cols-2">
        <Fact name="Action" value={event.action} />
        <Fact name="Target" value={event.target}>
          <Only target={event.target} />
        </Fact>
        <Fact name="App" value={event.appId}>
          <Only target={event.appId} />
        </Fact>
        <Fact name="Who" value={event.actorEmail} />
        <Fact name="Via" value={event.via} />
        <Fact name="From" value={event.ip} />
        <Fact name="Time" value={event.time ? toDate(event.time).toISOString() : ""} />
        <Fact name="Request id" value={event.requestId} />
      </dl>
    </div>
  );
}

function Value({ of: value, className }: { of: string | undefined; className?: string }) {
  return (
    <td className={cx("break-words py-1.5 pr-4", className)}>
      {value === undefined ? <span className="text-faint">not there</span> : <bdi>{value}</bdi>}
    </td>
  );
}

/** Leads to all that was done to one thing. */
function Only({ target }: { target: string }) {
  return (
    <Link
      to="/audit"
      search={{ target }}
      className="shrink-0 rounded-sm text-accent-text underline-offset-2 hover:underline"
    >
      All of it
    </Link>
  );
}

function Fact({ name, value, children }: { name: string; value: string; children?: ReactNode }) {
  if (!value) return null;
  return (
    <div className="flex min-w-0 items-center gap-2">
      <dt className="w-20 shrink-0 text-muted">{name}</dt>
      <dd className="flex min-w-0 items-center gap-1">
        <code className="truncate">{value}</code>
        <CopyButton what={name.toLowerCase()} source={value} />
        {children}
      </dd>
    </div>
  );
}

export function AuditTableSkeleton() {
  return (
    <>
      <p role="status" className="sr-only">
        Loading the audit log
      </p>
      <div aria-hidden>
        <Table label="Loading" className="table-fixed">
          <AuditHead />
          <tbody>
            {["w-56", "w-40", "w-48", "w-44", "w-60"].map((width) => (
              <Row key={width}>
                <Td>
                  <Skeleton className={cx(width, "max-w-full")} />
                </Td>
                <Td className="max-md:hidden">
                  <Skeleton className="w-40" />
                </Td>
                <Td className="max-lg:hidden">
                  <Skeleton className="w-20" />
                </Td>
                <Td>
                  <Skeleton className="w-20" />
                </Td>
              </Row>
            ))}
          </tbody>
        </Table>
      </div>
    </>
  );
}
