// pusher-js in Node, with Pusher's own server library behind it.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import Pusher from "pusher-js";
import {
  all,
  app,
  eventually,
  json,
  keep,
  once,
  onceWith,
  options,
  pause,
  roundTrip,
  server,
  unique,
  without,
} from "./target.mjs";

const connect = (name = "plain", more = {}) =>
  keep(new Pusher(more.key ?? app(name).key, options(name, more)));

async function connected(name, more) {
  const client = connect(name, more);
  if (client.connection.state !== "connected") await once(client.connection, "connected");
  return client;
}

async function subscribed(client, channel) {
  const subscription = client.subscribe(channel);
  await once(subscription, "pusher:subscription_succeeded");
  return subscription;
}

describe("pusher-js", { concurrency: true }, () => {
  test("trap 1: the handshake is understood", async () => {
    const client = await connected();
    assert.match(client.connection.socket_id, /^\d+\.\d+$/);
  });

  test("trap 2: the activity timeout is taken over", async () => {
    const client = connect();
    const errors = all(client.connection, "error");
    await once(client.connection, "connected");
    assert.equal(client.connection.activityTimeout, 120_000);
    assert.deepEqual(errors, []);
  });

  test("trap 3: an unknown key is told, and ends it", async () => {
    const client = connect("plain", { key: "no-such-key" });
    const attempts = all(client.connection, "connecting");
    const error = await once(client.connection, "error");
    assert.equal(error.data?.code ?? error.error?.data?.code, 4001);
    await eventually("the end", () => client.connection.state === "disconnected");
    await pause(1500);
    assert.equal(client.connection.state, "disconnected");
    assert.equal(attempts.length, 0, "it tried again");
  });

  test("trap 5: a failed subscription closes nothing, and its channel hears of it", async () => {
    const client = await connected("plain", {
      channelAuthorization: {
        customHandler: (_, callback) => callback(null, { auth: `${app("plain").key}:${"0".repeat(64)}` }),
      },
    });
    const id = client.connection.socket_id;
    const open = await subscribed(client, unique());
    const channel = client.subscribe(unique("private-"));
    const error = await once(channel, "pusher:subscription_error");
    assert.deepEqual({ type: error.type, status: error.status }, { type: "AuthError", status: 401 });
    const heard = once(open, "e");
    await json(await server().trigger(open.name, "e", "x"));
    assert.equal(await heard, "x");
    assert.equal(client.connection.socket_id, id);
  });

  test("trap 6: who is over the plan's connections is told 4004, and stays away", {
    skip: without("pair"),
  }, async () => {
    await Promise.all([connected("pair"), connected("pair")]);
    const client = connect("pair");
    const errors = all(client.connection, "error");
    // Where there are several edges it is asked to come back until it is certain that those who are counted are there.
    const told = () => errors.some((error) => (error.data?.code ?? error.error?.data?.code) === 4004);
    await eventually("4004", told, 40_000);
    await eventually("the end", () => client.connection.state === "disconnected");
    await pause(1200);
    assert.equal(client.connection.state, "disconnected");
  });

  test("trap 8: it stays through a short activity timeout", { skip: without("brief") }, async () => {
    const client = await connected("brief", { pongTimeout: 1000 });
    const id = client.connection.socket_id;
    await pause(4000);
    assert.equal(client.connection.state, "connected");
    assert.equal(client.connection.socket_id, id);
  });

  test("trap 14: each kind of channel is reported as subscribed", async () => {
    const client = await connected("plain", { member: { user_id: "me" } });
    for (const prefix of ["", "private-", "presence-", "cache-", "private-cache-", "presence-cache-"]) {
      const channel = await subscribed(client, unique(prefix));
      assert.equal(channel.subscribed, true);
    }
  });

  test("trap 18: a second subscribe delivers once", async () => {
    const client = await connected();
    const channel = await subscribed(client, unique());
    const heard = all(channel, "e");
    client.subscribe(channel.name);
    client.connection.send_event("pusher:subscribe", { auth: "", channel: channel.name });
    await once(client.connection, "error");
    await server().trigger(channel.name, "e", { n: 1 });
    const end = once(channel, "end");
    await server().trigger(channel.name, "end", {});
    await end;
    assert.deepEqual(heard, [{ n: 1 }]);
  });

  test("trap 19: what the server library signs is accepted as it is", async () => {
    const member = { user_id: "é/<&>", user_info: { url: "http://x/\\", name: "René 🎉", z: 1, a: 2 } };
    const client = await connected("plain", { member });
    const channel = await subscribed(client, unique("presence-"));
    assert.equal(channel.members.me.id, member.user_id);
    assert.deepEqual(channel.members.me.info, member.user_info);
  });

  test("trap 23: a cache channel misses, and then greets with the last event", async () => {
    const client = await connected();
    const name = unique("cache-");
    const first = client.subscribe(name);
    await once(first, "pusher:cache_miss");
    const heard = once(first, "kept");
    await server().trigger(name, "kept", { n: 1 });
    await heard;
    const other = (await connected()).subscribe(name);
    const misses = all(other, "pusher:cache_miss");
    assert.deepEqual(await once(other, "kept"), { n: 1 });
    assert.deepEqual(misses, []);
  });

  test("trap 25: the subscribers are counted", { skip: without("counts") }, async () => {
    const client = await connected("counts");
    const channel = client.subscribe(unique());
    assert.equal((await once(channel, "pusher:subscription_count")).subscription_count, 1);
    const two = once(channel, "pusher:subscription_count");
    await subscribed(await connected("counts"), channel.name);
    assert.equal((await two).subscription_count, 2);
    assert.equal(channel.subscriptionCount, 2);
  });

  test("trap 27: nothing comes after an unsubscribe", async () => {
    const client = await connected();
    const errors = all(client.connection, "error");
    const [channel, other] = [await subscribed(client, unique()), await subscribed(client, unique())];
    client.unsubscribe(channel.name);
    await roundTrip(client);
    const heard = [];
    client.bind_global((event) => heard.push(event));
    const end = once(other, "end");
    await server().triggerBatch([
      { channel: channel.name, name: "e", data: "x" },
      { channel: other.name, name: "end", data: "x" },
    ]);
    await end;
    assert.deepEqual(heard, ["end"]);
    assert.deepEqual(errors, []);
  });

  test("trap 28: a number as user id is text for everybody", async () => {
    const name = unique("presence-");
    const one = await subscribed(await connected("plain", { member: { user_id: 10 } }), name);
    assert.ok(one.members.get("10"));
    const added = once(one, "pusher:member_added");
    await subscribed(await connected("plain", { member: { user_id: "9007199254740993" } }), name);
    assert.equal((await added).id, "9007199254740993");
    const { users } = await json(await server().get({ path: `/channels/${name}/users` }));
    assert.deepEqual(users.map((u) => u.id).sort(), ["10", "9007199254740993"]);
  });

  test("trap 29: tabs of one user come and go unnoticed", async () => {
    const name = unique("presence-");
    const watcher = await subscribed(await connected("plain", { member: { user_id: "watcher" } }), name);
    const [added, removed] = [all(watcher, "pusher:member_added"), all(watcher, "pusher:member_removed")];
    const tabs = [
      await connected("plain", { member: { user_id: "ann" } }),
      await connected("plain", { member: { user_id: "ann" } }),
    ];
    for (const tab of tabs) await subscribed(tab, name);
    assert.equal(watcher.members.count, 2);
    tabs[0].disconnect();
    await pause(200);
    assert.equal(removed.length, 0);
    tabs[1].disconnect();
    await eventually("ann to be gone", () => removed.length > 0);
    assert.deepEqual([added.length, removed.length, watcher.members.count], [1, 1, 1]);
  });

  test("trap 30: everybody has the same list", async () => {
    const name = unique("presence-");
    const channels = [];
    for (const id of ["a", "b", "c"])
      channels.push(
        await subscribed(await connected("plain", { member: { user_id: id, user_info: { id } } }), name),
      );
    await eventually("three members", () => channels.every((c) => c.members.count === 3));
    for (const c of channels) {
      const ids = [];
      c.members.each((m) => ids.push([m.id, m.info.id]));
      assert.deepEqual(ids.sort(), [
        ["a", "a"],
        ["b", "b"],
        ["c", "c"],
      ]);
    }
  });

  test("trap 33: Laravel's user_info of true", async () => {
    const channel = await subscribed(
      await connected("plain", { member: { user_id: "1", user_info: true } }),
      unique("presence-"),
    );
    assert.equal(channel.members.me.info, true);
  });

  test("trap 34: a signed-in user joins without channel data", async () => {
    const user = { id: unique("u"), user_info: { name: "Ann" } };
    const client = await connected("plain", {
      user,
      channelAuthorization: {
        customHandler: ({ socketId, channelName }, callback) =>
          callback(null, server().authorizeChannel(socketId, channelName)),
      },
    });
    client.signin();
    await client.user.signinDonePromise;
    const channel = await subscribed(client, unique("presence-"));
    assert.deepEqual([channel.members.me.id, channel.members.me.info], [user.id, user.user_info]);
  });

  test("trap 37: data arrive as they were", async () => {
    const [sender, client] = [await connected(), await connected()];
    const name = unique("private-");
    const [from, to] = [await subscribed(sender, name), await subscribed(client, name)];
    for (const data of [{ a: { b: [1, "x"] } }, [1, 2], "plain text", { html: "<b>&</b>" }]) {
      let heard = once(to, "e");
      await server().trigger(name, "e", data);
      assert.deepEqual(await heard, data);
      heard = once(to, "client-e");
      assert.equal(from.trigger("client-e", data), true);
      assert.deepEqual(await heard, data);
    }
  });

  test("trap 39: the sender of a client event is named", async () => {
    const name = unique("presence-");
    const from = await subscribed(await connected("plain", { member: { user_id: 7 } }), name);
    const to = await subscribed(await connected("plain", { member: { user_id: "other" } }), name);
    const heard = onceWith(to, "client-e");
    from.trigger("client-e", { user_id: "admin" });
    assert.deepEqual(await heard, { data: { user_id: "admin" }, metadata: { user_id: "7" } });
  });

  test("trap 40: who sends does not hear it", async () => {
    const [sender, client] = [await connected(), await connected()];
    const name = unique();
    const [from, to] = [await subscribed(sender, name), await subscribed(client, name)];
    const own = all(from, "e");
    const heard = once(to, "e");
    await server().trigger(name, "e", "x", { socket_id: sender.connection.socket_id });
    assert.equal(await heard, "x");
    const end = once(from, "end");
    await server().trigger(name, "end", "x");
    await end;
    assert.deepEqual(own, []);
  });

  test("trap 42: too many client events are refused with 4301, one by one", async () => {
    const client = await connected();
    const channel = await subscribed(client, unique("private-"));
    const errors = all(client.connection, "error");
    for (let i = 0; i < 15; i++) channel.trigger("client-e", { i });
    await eventually("refusals", () => errors.length >= 4);
    assert.ok(errors.every((e) => (e.data ?? e.error.data).code === 4301));
    assert.equal(client.connection.state, "connected");
  });

  test("trap 44: an encrypted channel is read and written by stock libraries", async () => {
    const encryptionMasterKeyBase64 = Buffer.alloc(32, 1).toString("base64");
    const signer = { encryptionMasterKeyBase64 };
    const client = keep(new Pusher(app("plain").key, options("plain", { signer })));
    for (const prefix of ["private-encrypted-", "private-encrypted-cache-"]) {
      const channel = await subscribed(client, unique(prefix));
      const heard = once(channel, "e");
      await json(await server("plain", signer).trigger(channel.name, "e", { secret: "é<&>" }));
      assert.deepEqual(await heard, { secret: "é<&>" });
    }
  });

  test("trap 47: a sign-in is understood", async () => {
    const user = { id: unique("u"), user_info: { name: "Ann <&>" } };
    const client = await connected("plain", { user });
    client.signin();
    await client.user.signinDonePromise;
    assert.deepEqual([client.user.user_data.id, client.user.user_data.user_info], [user.id, user.user_info]);
  });

  test("trap 49: a server speaks to a user", async () => {
    const user = { id: unique("u") };
    const client = await connected("plain", { user });
    client.signin();
    await client.user.signinDonePromise;
    await eventually("the user's channel", () => client.user.serverToUserChannel?.subscribed);
    const heard = once(client.user, "e");
    await json(await server().sendToUser(user.id, "e", { n: 1 }));
    assert.deepEqual(await heard, { n: 1 });
  });

  test("trap 50: a watchlist tells who is there", { skip: without("watch") }, async () => {
    const [one, two] = [unique("u"), unique("u")];
    const friend = await connected("watch", { user: { id: one } });
    friend.signin();
    await friend.user.signinDonePromise;
    const watcher = await connected("watch", { user: { id: unique("w"), watchlist: [one, two] } });
    const [online, offline] = [all(watcher.user.watchlist, "online"), all(watcher.user.watchlist, "offline")];
    watcher.signin();
    await eventually("the list", () => online.length === 1 && offline.length === 1);
    assert.deepEqual([online[0].user_ids, offline[0].user_ids], [[one], [two]]);
    friend.disconnect();
    await eventually("the friend to be gone", () => offline.length === 2);
    assert.deepEqual(offline[1].user_ids, [one]);
  });

  test("trap 51: a terminated user stays away", async () => {
    const user = { id: unique("u") };
    const client = await connected("plain", { user });
    client.signin();
    await client.user.signinDonePromise;
    const errors = all(client.connection, "error");
    await json(await server().terminateUserConnections(user.id));
    await eventually("the end", () => client.connection.state === "disconnected");
    assert.ok(errors.some((e) => (e.data ?? e.error?.data)?.code === 4009));
    await pause(1200);
    assert.equal(client.connection.state, "disconnected");
  });
});
