import type { LimitUse } from "../api/usage";
import { cx } from "../ui/cx";
import { inWhole } from "./amounts";

/** How full a limit is now, of the app and of all apps together. */
export function UseOfLimit({ name, uses = [] }: { name: string; uses?: readonly LimitUse[] | undefined }) {
  return uses.filter((use) => use.name === name).map((use) => <Use key={String(use.together)} use={use} />);
}

/** In words and as a bar. Where nobody can tell it says nothing. */
function Use({ use }: { use: LimitUse }) {
  if (use.used === undefined) return null;
  const used = Number(use.used);
  const value = Number(use.value);
  const share = value > 0 ? used / value : 0;
  const today = use.name.endsWith("_per_day");
  return (
    <span className="mt-1.5 block">
      <span className="block tabular-nums">
        {use.together && "All apps together: "}
        {today ? "Today" : "Now"} {inWhole(used)}
        {value > 0 && ` of ${inWhole(value)} (${inWhole(Math.floor(share * 100))} %)`}
        {use.peakToday !== undefined && `, at most ${inWhole(Number(use.peakToday))} today`}.
      </span>
      {value > 0 && (
        <span aria-hidden className="mt-1 block h-1 overflow-hidden rounded-full bg-active">
          <span
            className={cx(
              "block h-full rounded-full",
              share >= 1 ? "bg-bad" : share >= 0.8 ? "bg-warn" : "bg-ok",
            )}
            style={{ width: `${Math.min(100, share * 100)}%` }}
          />
        </span>
      )}
    </span>
  );
}
