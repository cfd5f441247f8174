import { expect, test } from "vitest";
import { linkAfter, refusalOf } from "./link";

// Both shapes in which pusher-js reports the code that a connection was closed with.
const closed = (code: number) => ({ type: "PusherError", data: { code, message: "because" } });
const wrapped = (code: number) => ({ type: "WebSocketError", error: closed(code) });

test("codes after which the library gives up are refusals", () => {
  expect(refusalOf(closed(4001))).toEqual({ state: "refused", code: 4001, reason: "because" });
  expect(refusalOf(wrapped(4004))).toEqual({ state: "refused", code: 4004, reason: "because" });
});

test.each([closed(4100), closed(4200), closed(1006), { type: "WebSocketError" }, null, "x"])(
  "%j is none",
  (error) => {
    expect(refusalOf(error)).toBeUndefined();
  },
);

test("a refusal outlives the disconnect that follows, until the next attempt", () => {
  const refused = { state: "refused", code: 4001, reason: "" } as const;
  expect(linkAfter(refused, "disconnected")).toBe(refused);
  expect(linkAfter(refused, "connecting")).toEqual({ state: "connecting" });
});

test("connected is not live before the subscription", () => {
  expect(linkAfter({ state: "connecting" }, "connected")).toEqual({ state: "connecting" });
  expect(linkAfter({ state: "live" }, "unavailable")).toEqual({ state: "unavailable" });
  expect(linkAfter({ state: "live" }, "disconnected")).toEqual({ state: "closed" });
});
