// Pusher's server library for Node.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import Pusher from "pusher-js";
import { all, app, eventually, json, keep, once, options, server, unique, without } from "./target.mjs";

async function subscribed(channel, name = "plain", more = {}) {
  const client = keep(new Pusher(app(name).key, options(name, more)));
  const subscription = client.subscribe(channel);
  await once(subscription, "pusher:subscription_succeeded");
  return subscription;
}

describe("pusher", { concurrency: true }, () => {
  test("trap 53: a wrong secret is refused in words", async () => {
    const wrong = server("plain", { secret: "not the secret" });
    await assert.rejects(wrong.trigger(unique(), "e", "x"), (e) => {
      assert.equal(e.status, 401);
      assert.match(e.body, /Invalid signature/);
      return true;
    });
  });

  test("trap 54: triggers are answered with an object", async () => {
    assert.deepEqual(await json(await server().trigger(unique(), "e", { a: 1 })), {});
    assert.deepEqual(await json(await server().trigger([unique(), unique()], "e", "")), {});
    assert.deepEqual(
      await json(await server().triggerBatch([{ channel: unique(), name: "e", data: "x" }])),
      {},
    );
  });

  test("trap 55: a batch's answers stand in its order", { skip: without("counts") }, async () => {
    const name = unique();
    await subscribed(name, "counts");
    const answer = await json(
      await server("counts").triggerBatch([
        { channel: unique(), name: "e", data: "x" },
        { channel: name, name: "e", data: "x", info: "subscription_count" },
      ]),
    );
    assert.deepEqual(answer, { batch: [{}, { subscription_count: 1 }] });
  });

  test("trap 56: channels are listed while somebody is there", async () => {
    const name = unique("presence-listed-");
    const list = async () =>
      (
        await json(
          await server().get({ path: "/channels", params: { filter_by_prefix: name, info: "user_count" } }),
        )
      ).channels;
    assert.deepEqual(await list(), {});
    const channel = await subscribed(name, "plain", { member: { user_id: "1" } });
    assert.deepEqual(await list(), { [name]: { user_count: 1 } });
    channel.pusher.disconnect();
    await eventually("an empty list", async () => Object.keys(await list()).length === 0);
    assert.deepEqual(await json(await server().get({ path: `/channels/${name}` })), { occupied: false });
  });

  test("trap 57: a trigger tells counts", async () => {
    const name = unique("presence-");
    await subscribed(name, "plain", { member: { user_id: "1" } });
    const answer = await json(await server().trigger(name, "e", "x", { info: "user_count" }));
    assert.deepEqual(answer, { channels: { [name]: { user_count: 1 } } });
  });

  test("trap 59: too large an event is refused in words", async () => {
    await assert.rejects(server().trigger(unique(), "e", "x".repeat(10_241)), (e) => {
      assert.equal(e.status, 413);
      assert.match(e.body, /exceeds the allowed maximum \(10240 bytes\)/);
      return true;
    });
  });

  test("a batch arrives in its order", async () => {
    const name = unique();
    const channel = await subscribed(name);
    const heard = all(channel, "e");
    await server().triggerBatch(
      Array.from({ length: 10 }, (_, n) => ({ channel: name, name: "e", data: { n } })),
    );
    await eventually("all ten", () => heard.length === 10);
    assert.deepEqual(
      heard.map((e) => e.n),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
  });
});
