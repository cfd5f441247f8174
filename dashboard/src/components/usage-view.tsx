import { ChartLine, Download } from "lucide-react";
import { type ReactNode, useMemo } from "react";
import type { GetUsageResponse, LimitUse, UsageCounts } from "../api/usage";
import { usageFile, useUsage } from "../api/usage";
import { buttonClass } from "../ui/button";
import { Chart, type Limit, type Series } from "../ui/chart";
import { Empty } from "../ui/empty";
import { Select } from "../ui/select";
import { Skeleton } from "../ui/skeleton";
import { Head, Row, Table, Td, Th } from "../ui/table";
import { inBytes, inShort, inTenths, inWhole } from "./amounts";
import { LoadProblem } from "./problem";
import { reasonInWords } from "./reasons";
import { isUnused, type Lines, linesOf, rejectedIn } from "./usage-points";
import { type Chosen, choose, ranges, sinceOf, timeFormat, type UsageSearch } from "./usage-range";
import { useNow } from "./use-now";

/** When the chosen range begins; it goes on with the time. */
export function useSince(search: UsageSearch): { chosen: Chosen; since: Date } {
  const now = useNow(60_000);
  const { range, step } = search;
  return useMemo(() => {
    const chosen = choose({ ...(range ? { range } : {}), ...(step ? { step } : {}) });
    return { chosen, since: sinceOf(chosen, now) };
  }, [range, step, now]);
}

/** What range is shown, and by which step. Both are in the address. */
export function RangeChoice({
  chosen,
  onChange,
}: {
  chosen: Chosen;
  onChange: (search: UsageSearch) => void;
}) {
  return (
    <div className="mb-5 flex flex-wrap gap-3">
      <Select
        aria-label="Range"
        className="w-44"
        choices={ranges}
        value={chosen.range}
        onChange={(range) => onChange({ range })}
      />
      <Select
        aria-label="Step"
        className="w-40"
        choices={chosen.steps}
        value={chosen.step}
        onChange={(step) => onChange({ range: chosen.range, step })}
      />
    </div>
  );
}

export function UsageFileLink({ appId, chosen, since }: { appId: string; chosen: Chosen; since: Date }) {
  return (
    <a href={usageFile(appId, chosen.step, since)} download className={buttonClass()}>
      <Download aria-hidden className="size-4" />
      Export CSV
    </a>
  );
}

/** The numbers of a range in tiles, charts and a table of what was refused. With an empty id those of all apps. */
export function UsageView({
  appId,
  chosen,
  since,
  limits,
  nothing,
  children,
}: {
  appId: string;
  chosen: Chosen;
  since: Date;
  limits?: readonly LimitUse[] | undefined;
  /** The next step of who has used nothing. */
  nothing: ReactNode;
  children?: ReactNode;
}) {
  const { usage, error, refetch, isFetching } = useUsage(appId, chosen.step, since);
  if (!usage) {
    if (!error) return <UsageSkeleton />;
    return <LoadProblem what="the usage" error={error} onRetry={() => void refetch()} busy={isFetching} />;
  }
  if (!usage.total || isUnused(usage.total)) {
    const counted = usage.points.length > 0;
    return (
      <Empty
        icon={<ChartLine aria-hidden className="size-5" />}
        title={counted ? "Nothing was used in this range" : "Nothing was counted in this range"}
        action={nothing}
      >
        {counted
          ? "Nobody connected, published or was refused. Numbers come some seconds after every ten seconds."
          : "No edge of the platform counted then. Numbers come some seconds after every ten seconds."}
      </Empty>
    );
  }
  return (
    <div className="flex flex-col gap-6">
      <Tiles total={usage.total} />
      <Gaps usage={usage} chosen={chosen} />
      <Charts appId={appId} usage={usage} chosen={chosen} limits={limits} />
      {children}
      <Refused total={usage.total} />
    </div>
  );
}

function Tiles({ total }: { total: UsageCounts }) {
  const tiles = [
    { name: "Peak connections", value: inShort(Number(total.peakConnections)) },
    { name: "Average connections", value: inTenths(total.averageConnections) },
    { name: "Messages in", value: inShort(Number(total.messagesIn)) },
    { name: "Messages out", value: inShort(Number(total.messagesOut)) },
    { name: "Bytes in and out", value: inBytes(Number(total.bytesIn + total.bytesOut)) },
    { name: "Refused", value: inShort(rejectedIn(total)) },
  ];
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-lg border border-line bg-line sm:grid-cols-3 xl:grid-cols-6">
      {tiles.map(({ name, value }) => (
        <div key={name} className="flex flex-col bg-page px-4 py-3">
          <dt className="text-12 text-muted">{name}</dt>
          <dd className="font-semibold text-20 tabular-nums">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** In words, what the charts leave empty. */
function Gaps({ usage, chosen }: { usage: GetUsageResponse; chosen: Chosen }) {
  const covered = usage.points.length;
  const missing = usage.gaps.length;
  if (missing === 0 || covered === 0) return null;
  const noun = { minute: "minutes", hour: "hours", day: "days" }[chosen.step];
  return (
    <p className="-mt-3 text-13 text-muted">
      Some {noun} of this range were not counted, because no edge ran or its numbers are not there yet. They
      are left empty below.
    </p>
  );
}

function Charts({
  appId,
  usage,
  chosen,
  limits = [],
}: {
  appId: string;
  usage: GetUsageResponse;
  chosen: Chosen;
  limits?: readonly LimitUse[] | undefined;
}) {
  const { step, hours } = chosen;
  // The charts are drawn anew only when what they draw has changed.
  const lines = useMemo(() => linesOf(usage, step), [usage, step]);
  const formatTime = useMemo(() => timeFormat({ step, hours }), [step, hours]);
  const drawn = useMemo(() => chartsOf(lines), [lines]);
  const limitOf = (name: string | undefined): number =>
    Number(limits.find((limit) => limit.name === name && limit.together === (appId === ""))?.value ?? 0);
  const connections = limitOf("connections");
  const messages = step === "day" ? limitOf("messages_per_day") : 0;
  const bounds = useMemo<Record<string, Limit>>(
    () => ({
      ...(connections ? { Connections: { label: "Limit", value: connections } } : {}),
      ...(messages ? { Messages: { label: "Limit of a day, in", value: messages } } : {}),
    }),
    [connections, messages],
  );
  return (
    <div className="grid gap-4 lg:grid-cols-2">
      {drawn.map(({ title, series, format, none }) => (
        <Chart
          key={title}
          title={title}
          times={lines.times}
          series={series}
          limit={bounds[title]}
          format={format}
          formatTime={formatTime}
          group="usage"
          underWay={lines.underWay}
          empty={series.some(({ values }) => values.some((value) => value)) ? undefined : none}
        />
      ))}
    </div>
  );
}

type Drawn = { title: string; series: Series[]; format: (value: number) => string; none: string };

function chartsOf(lines: Lines): Drawn[] {
  return [
    {
      title: "Connections",
      series: [
        { label: "Peak", values: lines.peak, tone: "accent" },
        { label: "Average", values: lines.average, tone: "ok" },
      ],
      format: inShort,
      none: "Nobody was connected in this range.",
    },
    {
      title: "Messages",
      series: [
        { label: "In", values: lines.messagesIn, tone: "accent" },
        { label: "Out", values: lines.messagesOut, tone: "ok" },
      ],
      format: inShort,
      none: "Nothing was published or delivered in this range.",
    },
    {
      title: "Bytes",
      series: [
        { label: "In", values: lines.bytesIn, tone: "accent" },
        { label: "Out", values: lines.bytesOut, tone: "ok" },
      ],
      format: inBytes,
      none: "No bytes were counted in this range.",
    },
    {
      title: "API calls",
      series: [{ label: "Calls", values: lines.apiCalls, tone: "accent" }],
      format: inShort,
      none: "Nobody called the HTTP API or the RPC in this range.",
    },
    {
      title: "Refused",
      series: [{ label: "Refused", values: lines.rejected, tone: "warn" }],
      format: inShort,
      none: "Nothing was refused in this range.",
    },
    {
      title: "Webhooks",
      series: [{ label: "Deliveries", values: lines.webhooks, tone: "accent" }],
      format: inShort,
      none: "No webhook was delivered in this range.",
    },
  ];
}

/** What was refused, by reason, the most first. */
function Refused({ total }: { total: UsageCounts }) {
  if (total.rejections.length === 0) return null;
  const rows = [...total.rejections].sort((a, b) => Number(b.count - a.count));
  return (
    <section aria-label="What was refused">
      <h2 className="mb-3 font-semibold text-16">What was refused</h2>
      <Table label="What was refused">
        <Head>
          <Th>Why</Th>
          <Th className="max-sm:hidden">Reason</Th>
          <Th className="text-right">Times</Th>
        </Head>
        <tbody>
          {rows.map(({ reason, count }) => (
            <Row key={reason}>
              <Td>{reasonInWords(reason)}</Td>
              <Td className="max-sm:hidden">
                <code className="text-12 text-muted">{reason}</code>
              </Td>
              <Td className="text-right tabular-nums">{inWhole(Number(count))}</Td>
            </Row>
          ))}
        </tbody>
      </Table>
    </section>
  );
}

function UsageSkeleton() {
  return (
    <>
      <p role="status" className="sr-only">
        Loading usage
      </p>
      <div aria-hidden className="flex flex-col gap-6">
        <Skeleton className="h-[4.25rem] rounded-lg" />
        <div className="grid gap-4 lg:grid-cols-2">
          {["connections", "messages", "bytes", "calls"].map((chart) => (
            <div key={chart} className="rounded-lg border border-line p-4">
              <Skeleton className="w-28" />
              <Skeleton className="mt-3 h-44" />
            </div>
          ))}
        </div>
      </div>
    </>
  );
}
