// How amounts are written: short where there is little room, whole where there is more.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export const inWhole = (value: number): string => whole.format(value);
export const inTenths = (value: number): string => tenths.format(value);

/** 1,234 stays as it is; 12,345 becomes 12.3K. */
export const inShort = (value: number): string =>
  value < 10_000 ? tenths.format(value) : short.format(value);

const units = ["B", "KB", "MB", "GB", "TB", "PB"];

/** Bytes in steps of a thousand. */
export function inBytes(value: number): string {
  let amount = value;
  let unit = 0;
  while (amount >= 1000 && unit < units.length - 1) {
    amount /= 1000;
    unit++;
  }
  return `${unit === 0 ? whole.format(amount) : tenths.format(amount)} ${units[unit]}`;
}
