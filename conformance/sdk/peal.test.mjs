// What Peal has of its own, with stock libraries: publishes that are carried out once, and the notice of a gap.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import Pusher from "pusher-js";
import { all, app, json, keep, once, options, server, target, unique } from "./target.mjs";

const skip = target.own ? false : "needs Peal, whose own this is";

async function subscribed(channel, more = {}) {
  const client = keep(new Pusher(app("plain").key, options("plain", more)));
  const subscription = client.subscribe(channel);
  await once(subscription, "pusher:subscription_succeeded");
  return subscription;
}

/** Publishes without a library, for those that can send no header of one's own. */
async function post(path, body, key) {
  const signed = { method: "POST", path: `/apps/${app("plain").id}${path}`, body: JSON.stringify(body) };
  const query = server().createSignedQueryString(signed);
  return fetch(`http://${target.host}:${target.port}${signed.path}?${query}`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": key },
    body: signed.body,
  });
}

const replayed = (response) => response.headers.get("idempotent-replayed");

/** Waits until a subscriber has everything that was published so far. */
async function marked(channel) {
  const mark = once(channel, "mark");
  await json(await server().trigger(channel.name, "mark", ""));
  await mark;
}

describe("Peal", { concurrency: true, skip }, () => {
  test("a publish that is sent again under its key arrives once", async () => {
    const channel = await subscribed(unique());
    const heard = all(channel, "e");
    const key = unique("key-");
    const event = { name: "e", channels: [channel.name], data: "one", info: "user_count" };
    const first = await post("/events", event, key);
    const answer = await first.text();
    assert.deepEqual([first.status, replayed(first)], [200, null]);
    for (let n = 0; n < 3; n++) {
      const again = await post("/events", event, key);
      assert.deepEqual([again.status, await again.text(), replayed(again)], [200, answer, "true"]);
    }
    const other = await post("/events", { ...event, data: "two" }, key);
    assert.equal(other.status, 422);
    assert.match(await other.text(), new RegExp(`"${key}" stands for another publish`));
    await marked(channel);
    assert.deepEqual(heard, ["one"]);
  });

  test("Node's library sends the ids of events along", async () => {
    const channel = await subscribed(unique());
    const heard = all(channel, "e");
    const id = unique("id-");
    for (const want of [null, "true"]) {
      const response = await server().trigger(channel.name, "e", "one", { id });
      assert.equal(replayed(response), want);
      await json(response);
    }
    const batch = () => [
      { channel: channel.name, name: "e", data: "one", id },
      { channel: channel.name, name: "e", data: "two", id: `${id}-2` },
    ];
    assert.equal(replayed(await server().triggerBatch(batch())), null);
    assert.equal(replayed(await server().triggerBatch(batch())), "true");
    await marked(channel);
    assert.deepEqual(heard, ["one", "two"]);
  });

  // To the byte what an edge says when it has missed something.
  const gap = (channel) =>
    server().post({ path: "/events", body: { name: "peal:gap", channels: [channel.name], data: "{}" } });

  test("a gap is told to who listens for it on the channel", async () => {
    for (const prefix of ["", "private-", "presence-", "cache-"]) {
      const channel = await subscribed(unique(prefix), { member: { user_id: "me" } });
      const heard = once(channel, "peal:gap");
      await json(await gap(channel));
      assert.deepEqual(await heard, {});
    }
  });

  test("a gap of an encrypted channel is told to who listens to the connection, and harms nothing", async () => {
    const signer = { encryptionMasterKeyBase64: Buffer.alloc(32, 1).toString("base64") };
    const channel = await subscribed(unique("private-encrypted-"), { signer });
    const messages = all(channel.pusher.connection, "message");
    await json(await gap(channel));
    const heard = once(channel, "e");
    await json(await server("plain", signer).trigger(channel.name, "e", { secret: 1 }));
    assert.deepEqual(await heard, { secret: 1 });
    const told = messages.filter(({ event }) => event === "peal:gap");
    assert.deepEqual(told, [{ event: "peal:gap", channel: channel.name, data: {} }]);
  });
});
