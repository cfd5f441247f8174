import { useEffect, useRef, useState } from "react";
import UPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { cx } from "./cx";

export type Tone = "accent" | "ok" | "warn";

export type Series = {
  label: string;
  /** One for each time; null where there is none, which is drawn as a gap. */
  values: readonly (number | null)[];
  tone: Tone;
};

export type Limit = { label: string; value: number };

const height = 152;

const dot: Record<Tone, string> = { accent: "bg-accent-text", ok: "bg-ok", warn: "bg-warn" };
const variable: Record<Tone, string> = { accent: "--accent-text", ok: "--ok", warn: "--warn" };

/** The colours are those of the theme at the moment of drawing. */
const colour = (name: string) => (plot: UPlot) => getComputedStyle(plot.root).getPropertyValue(name).trim();

/**
 * Lines over time, three at most. The crosshair is shared by all charts of the same `group`. Above the lines stand the values
 * at the crosshair, or the last ones.
 */
export function Chart({
  title,
  times,
  series,
  limit,
  format,
  formatTime,
  group,
  underWay,
  empty,
}: {
  title: string;
  /** In seconds since 1970, one for each step. */
  times: readonly number[];
  series: readonly Series[];
  limit?: Limit | undefined;
  format: (value: number) => string;
  formatTime: (seconds: number, exact: boolean) => string;
  group: string;
  /** The last step has not ended: its values are of a part of it. */
  underWay?: boolean | undefined;
  /** Why there is nothing to draw; then nothing is. */
  empty?: string | undefined;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<number | null>(null);
  const last = lastIndex(series);
  const shown = at ?? last;

  useEffect(() => {
    const node = box.current;
    if (!node || empty) return;
    const plot = new UPlot(
      options({ series, limit, format, formatTime, group, width: node.clientWidth, onCursor: setAt }),
      dataOf(times, series, limit),
      node,
    );
    const resize = new ResizeObserver(() => plot.setSize({ width: node.clientWidth, height }));
    resize.observe(node);
    const theme = new MutationObserver(() => plot.redraw(false));
    theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      theme.disconnect();
      resize.disconnect();
      plot.destroy();
      setAt(null);
    };
  }, [times, series, limit, format, formatTime, group, empty]);

  const time = shown === null ? undefined : times[shown];
  return (
    <figure className="min-w-0 rounded-lg border border-line p-4">
      <figcaption className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
        <h2 className="font-semibold text-14">{title}</h2>
        <span className="text-12 text-muted tabular-nums">
          {!empty && time !== undefined && (
            <>
              {at === null && (underWay ? "So far: " : "Last: ")}
              {formatTime(time, true)}
            </>
          )}
        </span>
      </figcaption>
      {empty ? (
        <p className="flex items-center justify-center text-13 text-muted" style={{ height: height + 28 }}>
          {empty}
        </p>
      ) : (
        <>
          <ul className="mt-1 mb-2 flex flex-wrap gap-x-4 gap-y-1 text-12">
            {series.map(({ label, values, tone }) => {
              const value = shown === null ? null : values[shown];
              return (
                <li key={label} className="flex items-center gap-1.5">
                  <span aria-hidden className={cx("h-0.5 w-3 rounded-full", dot[tone])} />
                  <span className="text-muted">{label}</span>
                  <span className="font-medium tabular-nums">
                    {value === null || value === undefined ? "not counted" : format(value)}
                  </span>
                </li>
              );
            })}
            {limit && (
              <li className="flex items-center gap-1.5">
                <span aria-hidden className="w-3 border-bad border-t-2 border-dashed" />
                <span className="text-muted">{limit.label}</span>
                <span className="font-medium tabular-nums">{format(limit.value)}</span>
              </li>
            )}
          </ul>
          <div
            ref={box}
            role="img"
            aria-label={inWords(title, series, last, limit, format)}
            style={{ height }}
          />
        </>
      )}
    </figure>
  );
}

function lastIndex(series: readonly Series[]): number | null {
  const length = series[0]?.values.length ?? 0;
  for (let i = length - 1; i >= 0; i--) {
    if (series.some(({ values }) => values[i] !== null)) return i;
  }
  return null;
}

/** What a chart shows, for who does not see it. */
function inWords(
  title: string,
  series: readonly Series[],
  last: number | null,
  limit: Limit | undefined,
  format: (value: number) => string,
): string {
  const parts = series.map(({ label, values }) => {
    const known = values.filter((value) => value !== null);
    const value = last === null ? null : values[last];
    if (known.length === 0 || value === null || value === undefined) return `${label}: not counted`;
    return `${label}: last ${format(value)}, highest ${format(Math.max(...known))}`;
  });
  if (limit) parts.push(`${limit.label} ${format(limit.value)}`);
  return `${title}. ${parts.join(". ")}.`;
}

function dataOf(
  times: readonly number[],
  series: readonly Series[],
  limit: Limit | undefined,
): UPlot.AlignedData {
  const lines = series.map(({ values }) => [...values]);
  if (limit) lines.push(times.map(() => limit.value));
  return [[...times], ...lines];
}

/** The places of values that have nothing beside them: a line of one point would not be seen. */
function alone(values: readonly (number | null)[]): number[] {
  return values.flatMap((value, i) =>
    value !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null ? [i] : [],
  );
}

function options({
  series,
  limit,
  format,
  formatTime,
  group,
  width,
  onCursor,
}: {
  series: readonly Series[];
  limit: Limit | undefined;
  format: (value: number) => string;
  formatTime: (seconds: number, exact: boolean) => string;
  group: string;
  width: number;
  onCursor: (index: number | null) => void;
}): UPlot.Options {
  const font = '12px "Inter Variable", sans-serif';
  const axis: UPlot.Axis = {
    font,
    stroke: colour("--muted"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
    gap: 6,
  };
  const lines: UPlot.Series[] = series.map(({ values, tone }) => ({
    stroke: colour(variable[tone]),
    width: 1.5,
    points: { show: true, size: 4, filter: () => alone(values) },
  }));
  if (limit) {
    lines.push({ stroke: colour("--bad"), width: 1.5, dash: [5, 4], points: { show: false } });
  }
  return {
    width,
    height,
    padding: [10, 8, 0, 0],
    legend: { show: false },
    // The points at the crosshair are those of uPlot; nothing can be selected, as the address says the range.
    cursor: { sync: { key: group }, drag: { x: false, y: false }, y: false, points: { size: 6 } },
    scales: { y: { range: (_plot, _min, max) => [0, above(Math.max(max ?? 0, 1))] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 26,
        space: 72,
        values: (_plot, splits) => splits.map((s) => formatTime(s, false)),
      },
      {
        ...axis,
        size: 52,
        space: 36,
        values: (_plot, splits) =>
          splits.map((value) => (Number.isInteger(value) || value < 1 ? format(value) : "")),
      },
    ],
    series: [{}, ...lines],
    hooks: { setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)] },
  };
}

/** A little above, so that the highest line does not touch the edge. */
function above(most: number): number {
  return most < 10 ? Math.ceil(most) + 1 : most * 1.08;
}
