// laravel-echo over pusher-js, as a Laravel page has them.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import Echo from "laravel-echo";
import Pusher from "pusher-js";
import { app, eventually, keep, options, roundTrip, server, unique } from "./target.mjs";

/** An Echo whose broadcaster is pusher, or reverb, which is the same with other defaults. */
function echo({ broadcaster = "pusher", ...more } = {}) {
  const { key } = app("plain");
  const own = options("plain", more);
  const made = new Echo({ broadcaster, key, Pusher, ...own });
  keep(made);
  return made;
}

/** A promise and what fulfils it. */
function call() {
  let done;
  const promise = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("it was not called within 10 s")), 10_000);
    done = (value) => {
      clearTimeout(timer);
      resolve(value);
    };
  });
  return [promise, done];
}

async function subscribed(channel) {
  const [promise, done] = call();
  channel.subscribed(done);
  await promise;
  return channel;
}

describe("laravel-echo", { concurrency: true }, () => {
  for (const broadcaster of ["pusher", "reverb"]) {
    test(`trap 14: ${broadcaster} listens to classes and to names`, async () => {
      const name = unique();
      const channel = await subscribed(echo({ broadcaster }).channel(name));
      const [byClass, heardClass] = call();
      const [byName, heardName] = call();
      channel.listen("OrderShipped", heardClass).listen(".order.shipped", heardName);
      await server().trigger(name, "App\\Events\\OrderShipped", { id: 1 });
      await server().trigger(name, "order.shipped", { id: 2 });
      assert.deepEqual([await byClass, await byName], [{ id: 1 }, { id: 2 }]);
    });
  }

  test("trap 26: a refused channel hears of it, the others go on", async () => {
    const page = echo({
      channelAuthorization: { customHandler: (_, callback) => callback(null, { auth: "x:y" }) },
    });
    const name = unique();
    const channel = await subscribed(page.channel(name));
    const [refused, onError] = call();
    page.private(unique()).error(onError);
    assert.ok(await refused);
    const [heard, onEvent] = call();
    channel.listen(".e", onEvent);
    await server().trigger(name, "e", { n: 1 });
    assert.deepEqual(await heard, { n: 1 });
  });

  test("trap 30: here, joining and leaving", async () => {
    const name = unique();
    const [here, onHere] = call();
    const [joining, onJoining] = call();
    const [leaving, onLeaving] = call();
    const ann = echo({ member: { user_id: 1, user_info: { name: "Ann" } } });
    ann.join(name).here(onHere).joining(onJoining).leaving(onLeaving);
    assert.deepEqual(await here, [{ name: "Ann" }]);
    const bo = echo({ member: { user_id: 2, user_info: { name: "Bo" } } });
    const [hereToo, onHereToo] = call();
    bo.join(name).here(onHereToo);
    assert.deepEqual(await joining, { name: "Bo" });
    assert.deepEqual((await hereToo).map((m) => m.name).sort(), ["Ann", "Bo"]);
    bo.leave(name);
    assert.deepEqual(await leaving, { name: "Bo" });
  });

  test("trap 38: a whisper is heard by the others", async () => {
    const name = unique();
    const [from, to] = [await subscribed(echo().private(name)), await subscribed(echo().private(name))];
    const [heard, onWhisper] = call();
    to.listenForWhisper("typing", onWhisper);
    from.whisper("typing", { name: "Ann" });
    assert.deepEqual(await heard, { name: "Ann" });
  });

  test("trap 40: toOthers leaves out the page that asked", async () => {
    const name = unique();
    const pages = [echo(), echo()];
    const heard = [[], []];
    for (const [i, page] of pages.entries())
      (await subscribed(page.channel(name))).listen(".e", (e) => heard[i].push(e));
    // Laravel hands on what the page sends as X-Socket-Id.
    await server().trigger(name, "e", { n: 1 }, { socket_id: pages[0].socketId() });
    await server().trigger(name, "e", { n: 2 });
    await eventually("the second event", () => heard.every((h) => h.at(-1)?.n === 2));
    assert.deepEqual(heard, [[{ n: 2 }], [{ n: 1 }, { n: 2 }]]);
  });

  test("trap 44: an encrypted private channel", async () => {
    const signer = { encryptionMasterKeyBase64: Buffer.alloc(32, 1).toString("base64") };
    const channel = await subscribed(echo({ signer }).encryptedPrivate(unique()));
    const [heard, onEvent] = call();
    channel.listen(".e", onEvent);
    await server("plain", signer).trigger(channel.name, "e", { n: 1 });
    assert.deepEqual(await heard, { n: 1 });
  });

  test("trap 27: who leaves a channel hears no more of it", async () => {
    const page = echo();
    const [one, two] = [unique(), unique()];
    const heard = [];
    (await subscribed(page.channel(one))).listen(".e", (e) => heard.push(e));
    const [end, onEnd] = call();
    (await subscribed(page.channel(two))).listen(".end", onEnd);
    page.leave(one);
    await roundTrip(page.connector.pusher);
    await server().trigger([one], "e", { n: 1 });
    await server().trigger([two], "end", { n: 2 });
    await end;
    assert.deepEqual(heard, []);
  });
});
