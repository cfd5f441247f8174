import { toDate } from "../api/time";
import type { GetUsageResponse, Step, UsageCounts } from "../api/usage";
import { timesOf } from "./usage-range";

export type Line = (number | null)[];

/** What charts draw: one value for each step of the range, and none where nobody counted. */
export type Lines = {
  times: number[];
  /** The last step has not ended. */
  underWay: boolean;
  peak: Line;
  average: Line;
  messagesIn: Line;
  messagesOut: Line;
  bytesIn: Line;
  bytesOut: Line;
  apiCalls: Line;
  webhooks: Line;
  rejected: Line;
};

export const rejectedIn = ({ rejections }: UsageCounts): number =>
  rejections.reduce((sum, { count }) => sum + Number(count), 0);

/** Whether nothing at all was used. */
export const isUnused = (counts: UsageCounts): boolean =>
  [counts.peakConnections, counts.messagesIn, counts.messagesOut, counts.bytesIn, counts.apiCalls].every(
    (value) => value === 0n,
  ) && counts.rejections.length === 0;

const seconds = (date: Date): number => Math.round(date.getTime() / 1000);

export function linesOf(usage: GetUsageResponse, step: Step): Lines {
  const since = usage.since ? seconds(toDate(usage.since)) : 0;
  const until = usage.until ? seconds(toDate(usage.until)) : 0;
  const times = timesOf(since, until, step);
  const known = new Map<number, UsageCounts>();
  for (const { start, counts } of usage.points) {
    if (start && counts) known.set(seconds(toDate(start)), counts);
  }
  const line = (read: (counts: UsageCounts) => number | bigint): Line =>
    times.map((time) => {
      const counts = known.get(time);
      return counts ? Number(read(counts)) : null;
    });
  const last = usage.points.at(-1);
  return {
    times,
    underWay: last?.start !== undefined && seconds(toDate(last.start)) === times.at(-1),
    peak: line((counts) => counts.peakConnections),
    average: line((counts) => counts.averageConnections),
    messagesIn: line((counts) => counts.messagesIn),
    messagesOut: line((counts) => counts.messagesOut),
    bytesIn: line((counts) => counts.bytesIn),
    bytesOut: line((counts) => counts.bytesOut),
    apiCalls: line((counts) => counts.apiCalls),
    webhooks: line((counts) => counts.webhooks),
    rejected: line(rejectedIn),
  };
}
