// Tells the Go side of the suite what became of each test, one JSON object a line. Groups of tests are no tests.
export default async function* report(source) {
  for await (const { type, data } of source) {
    if (type !== "test:pass" && type !== "test:fail") continue;
    if (data.details.type === "suite" && data.details.error?.failureType !== "hookFailed") continue;
    const line = { name: data.name, ok: type === "test:pass", ms: Math.round(data.details.duration_ms) };
    if (data.skip !== undefined) line.skip = String(data.skip);
    if (type === "test:fail") {
      const error = data.details.error;
      line.error = error.cause?.stack ?? error.cause?.message ?? String(error.cause ?? error);
    }
    yield `${JSON.stringify(line)}\n`;
  }
}
