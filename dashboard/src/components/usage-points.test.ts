import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
// biome-ignore lint/style/noRestrictedImports: the test plays the server, which speaks the generated types
import { GetUsageResponseSchema } from "../gen/peal/admin/v1/usage_pb";
import { inBytes, inShort } from "./amounts";
import { isUnused, linesOf } from "./usage-points";

const at = (minute: number) => timestampFromDate(new Date(Date.UTC(2026, 4, 4, 10, minute)));

test("a step in which nobody counted is a gap, and one in which nothing was used is not", () => {
  const usage = create(GetUsageResponseSchema, {
    since: at(0),
    until: at(4),
    points: [
      { start: at(0), counts: { peakConnections: 3n, messagesIn: 5n, averageConnections: 1.5 } },
      { start: at(2), counts: {} },
      {
        start: at(3),
        counts: {
          rejections: [
            { reason: "busy", count: 2n },
            { reason: "origin", count: 1n },
          ],
        },
      },
    ],
  });
  const lines = linesOf(usage, "minute");
  expect(lines.times).toHaveLength(4);
  expect(lines.underWay).toBe(true);
  expect(linesOf(create(GetUsageResponseSchema, { ...usage, until: at(5) }), "minute").underWay).toBe(false);
  expect(lines.peak).toEqual([3, null, 0, 0]);
  expect(lines.average).toEqual([1.5, null, 0, 0]);
  expect(lines.rejected).toEqual([0, null, 0, 3]);
  for (const { counts } of usage.points.slice(0, 1)) expect(counts && isUnused(counts)).toBe(false);
  expect(isUnused(usage.points[1]?.counts ?? never())).toBe(true);
  expect(isUnused(usage.points[2]?.counts ?? never())).toBe(false);
});

function never(): never {
  throw new Error("no counts");
}

test("amounts are short where they are large", () => {
  expect(inShort(9999)).toBe("9,999");
  expect(inShort(12_345)).toBe("12.3K");
  expect(inShort(4_000_000)).toBe("4M");
  expect(inBytes(0)).toBe("0 B");
  expect(inBytes(999)).toBe("999 B");
  expect(inBytes(1234)).toBe("1.2 KB");
  expect(inBytes(5.25e9)).toBe("5.3 GB");
});
