import { Link } from "@tanstack/react-router";
import { type Order, useAppsUsage } from "../api/usage";
import { Select } from "../ui/select";
import { Head, Row, Table, Td, Th } from "../ui/table";
import { inBytes, inShort } from "./amounts";
import { Name } from "./name";
import { LoadProblem } from "./problem";
import { rejectedIn } from "./usage-points";
import type { Chosen, UsageSearch } from "./usage-range";

export const orders = [
  { value: "messages", label: "By messages" },
  { value: "connections", label: "By peak connections" },
  { value: "bytes", label: "By bytes" },
  { value: "rejections", label: "By what was refused" },
] as const satisfies { value: Order; label: string }[];

/** The apps that used most of what was used in a range. */
export function TopApps({
  chosen,
  since,
  order,
  search,
  onOrder,
}: {
  chosen: Chosen;
  since: Date;
  order: Order;
  search: UsageSearch;
  onOrder: (order: Order) => void;
}) {
  const { apps, error, refetch, isFetching } = useAppsUsage(chosen.step, since, order);
  if (!apps) {
    return error ? (
      <LoadProblem what="the apps" error={error} onRetry={() => void refetch()} busy={isFetching} />
    ) : null;
  }
  if (apps.length === 0) return null;
  return (
    <section aria-label="Apps that used most">
      <div className="mb-3 flex flex-wrap items-center justify-between gap-3">
        <h2 className="font-semibold text-16">Apps that used most</h2>
        <Select
          aria-label="Order of apps"
          className="w-52"
          choices={orders}
          value={order}
          onChange={onOrder}
        />
      </div>
      <Table label="Apps that used most" className="table-fixed">
        <Head>
          <Th>App</Th>
          <Th className="w-28 text-right">Messages</Th>
          <Th className="w-28 text-right max-sm:hidden">Peak</Th>
          <Th className="w-28 text-right max-md:hidden">Bytes</Th>
          <Th className="w-28 text-right max-sm:hidden">Refused</Th>
        </Head>
        <tbody>
          {apps.map(({ appId, name, counts }) => (
            <Row key={appId} className="relative">
              <Td>
                {name ? (
                  <Link
                    to="/apps/$appId/usage"
                    params={{ appId }}
                    search={search}
                    className="-outline-offset-2 font-medium after:absolute after:inset-0"
                  >
                    <Name>{name}</Name>
                  </Link>
                ) : (
                  <span className="text-muted">Deleted app {appId}</span>
                )}
              </Td>
              <Td className="text-right tabular-nums">
                {inShort(Number((counts?.messagesIn ?? 0n) + (counts?.messagesOut ?? 0n)))}
              </Td>
              <Td className="text-right tabular-nums max-sm:hidden">
                {inShort(Number(counts?.peakConnections ?? 0n))}
              </Td>
              <Td className="text-right tabular-nums max-md:hidden">
                {inBytes(Number((counts?.bytesIn ?? 0n) + (counts?.bytesOut ?? 0n)))}
              </Td>
              <Td className="text-right tabular-nums max-sm:hidden">
                {counts ? inShort(rejectedIn(counts)) : "0"}
              </Td>
            </Row>
          ))}
        </tbody>
      </Table>
    </section>
  );
}
