import type { ChannelRule, ChannelRules } from "../api/settings";

// A rule in a form is three texts. The server decides what may be in them; the checks here only answer sooner.

export type RuleTexts = { pattern: string; size: string; ttl: string };

export const most = { rules: 50, pattern: 200, stars: 8, size: 10_000, seconds: 24 * 60 * 60 };

/** What a new rule begins with. */
export const newRule: RuleTexts = { pattern: "", size: "100", ttl: "1 h" };

export function toRuleTexts(rules: readonly ChannelRule[]): RuleTexts[] {
  return rules.map(({ pattern, log }) => ({
    pattern,
    size: String(log?.size ?? 0),
    ttl: timeInWords(log?.ttlSeconds ?? 0),
  }));
}

/** The texts have been checked. */
export function toRules(texts: readonly RuleTexts[]): ChannelRules {
  return texts.map(({ pattern, size, ttl }) => ({
    pattern: pattern.trim(),
    log: { size: parseSize(size) ?? 0, ttlSeconds: parseTime(ttl) ?? 0 },
  }));
}

export function checkPattern(pattern: string): string | true {
  const text = pattern.trim();
  if (text === "") return "Enter a channel's name, or * for every channel.";
  if (text.length > most.pattern) return `Use at most ${most.pattern} characters.`;
  const wrong = /[^A-Za-z0-9_\-=@,.;*]/.exec(text)?.[0];
  if (wrong !== undefined) {
    const character = wrong === " " ? "the space" : wrong;
    return `Leave out ${character}: names have letters, digits and _ - = @ , . ; only.`;
  }
  const stars = text.replace(/\*+/g, "*").replace(/[^*]/g, "").length;
  return stars <= most.stars ? true : `Use at most ${most.stars} stars.`;
}

export function checkSize(size: string): string | true {
  const value = parseSize(size);
  return value !== undefined && value >= 1 && value <= most.size ? true : "Use 1 to 10,000.";
}

export function checkTime(ttl: string): string | true {
  const seconds = parseTime(ttl);
  if (seconds === undefined) return "Write it as 30\u00a0s, 15\u00a0min or 2\u00a0h.";
  return seconds >= 1 && seconds <= most.seconds ? true : "Use 1 s to 24 h.";
}

function parseSize(text: string): number | undefined {
  const digits = text.trim().replace(/(\d)[ ,](?=\d{3}(\D|$))/g, "$1");
  return /^\d{1,9}$/.test(digits) ? Number(digits) : undefined;
}

const units = [
  { unit: "h", seconds: 3600, names: /^h(ours?)?$/ },
  { unit: "min", seconds: 60, names: /^m(in(utes?)?)?$/ },
  { unit: "s", seconds: 1, names: /^s(ec(onds?)?)?$/ },
];

/** The seconds of a time as people write it: "90 s", "15 min", "1h 30m". A number alone could be anything. */
export function parseTime(text: string): number | undefined {
  const parts = text.trim().toLowerCase();
  if (!/^(\d{1,6}\s*[a-z]+\s*)+$/.test(parts)) return undefined;
  let seconds = 0;
  for (const [, digits, name] of parts.matchAll(/(\d+)\s*([a-z]+)/g)) {
    const unit = units.find(({ names }) => names.test(name ?? ""));
    if (!unit) return undefined;
    seconds += Number(digits) * unit.seconds;
  }
  return seconds;
}

export function timeInWords(seconds: number): string {
  const parts: string[] = [];
  let left = seconds;
  for (const { unit, seconds: length } of units) {
    const count = Math.floor(left / length);
    left -= count * length;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.join(" ") || "0 s";
}

/** The place of the rule that stands for every channel, behind which no other counts. */
export function catchAll(texts: readonly Pick<RuleTexts, "pattern">[]): number {
  const place = texts.findIndex(({ pattern }) => /^\*+$/.test(pattern.trim()));
  return place < 0 ? texts.length : place;
}

/** Where the server's message about a part of a rule belongs, such as "channelRules.list.2.log.size". */
export function fieldOf(path: string): { row: number; field: keyof RuleTexts } | undefined {
  const found = /^channelRules\.list\.(\d+)\.(pattern|log\.size|log\.ttlSeconds)$/.exec(path);
  if (!found) return undefined;
  const field = found[2] === "pattern" ? "pattern" : found[2] === "log.size" ? "size" : "ttl";
  return { row: Number(found[1]), field };
}
