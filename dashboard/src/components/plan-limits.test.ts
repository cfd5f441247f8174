import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
// biome-ignore lint/style/noRestrictedImports: the test plays the server, which speaks the generated types
import { PlanLimitSchema } from "../gen/peal/admin/v1/plans_pb";
import { planChanges, planLimitInWords, toPlanTexts, unsetInWords } from "./plan-limits";

const connections = create(PlanLimitSchema, {
  name: "connections",
  value: 500,
  min: 0,
  max: 10_000_000,
  together: true,
});
const unbounded = create(PlanLimitSchema, {
  name: "messages_per_day",
  value: 0,
  min: 0,
  max: 10,
  together: true,
});
const payload = create(PlanLimitSchema, {
  name: "payload_bytes",
  defaultValue: 10240,
  min: 1,
  max: 1_048_576,
});

test("a limit of which the plan says nothing is an empty field, and no bound is a 0", () => {
  expect(toPlanTexts([connections, unbounded, payload])).toEqual({
    connections: "500",
    messagesPerDay: "0",
    payloadBytes: "",
  });
});

test("only what differs is sent, and what was emptied is taken out", () => {
  const limits = [connections, unbounded, payload];
  expect(planChanges(toPlanTexts(limits), limits)).toEqual({});
  expect(planChanges({ connections: "", messagesPerDay: "0", payloadBytes: "20,000" }, limits)).toEqual({
    connections: {},
    payloadBytes: { value: 20000 },
  });
  // No bound said by the plan is not the same as nothing said.
  expect(planChanges({ connections: "0", messagesPerDay: "", payloadBytes: "" }, limits)).toEqual({
    connections: { value: 0 },
    messagesPerDay: {},
  });
});

test("a new plan sends what was filled in", () => {
  const fresh = create(PlanLimitSchema, { name: "connections", min: 0, max: 10, together: true });
  expect(planChanges({ connections: " 7 ", payloadBytes: "" }, [fresh, payload])).toEqual({
    connections: { value: 7 },
  });
});

test("each limit says whether it is for all apps together or for each", () => {
  expect(planLimitInWords(connections)).toBe(
    "For all apps of the tenant together. Up to 10,000,000; 0 is no bound.",
  );
  expect(planLimitInWords(payload)).toBe("For each app. 1 to 1,048,576.");
  expect(unsetInWords(connections)).toBe("No bound for all together");
  expect(unsetInWords(payload)).toBe("Default: 10,240");
});
