// The browser build of pusher-js in Chromium, over each of its transports.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { chromium } from "playwright-core";
import { app, eventually, json, pause, server, target, unique, without } from "./target.mjs";

const library = createRequire(import.meta.url).resolve("pusher-js/dist/web/pusher-with-encryption.min.js");
const transports = ["ws", "xhr_streaming", "xhr_polling"];
const encryptionMasterKeyBase64 = Buffer.alloc(32, 1).toString("base64");

let browser;
let site;
before(async () => {
  const root = process.getuid?.() === 0;
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    // Chromium has no sandbox for root, which is whom containers often run as.
    args: [
      ...(root ? ["--no-sandbox"] : []),
      "--disable-background-networking",
      "--no-first-run",
      "--disable-gpu",
    ],
  });
  // A page of its own origin, so that everything it asks of the server is asked across origins.
  site = createServer((_, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end("<!doctype html><title>page</title>");
  });
  await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
});
after(async () => {
  await browser?.close();
  site?.close();
});

/** A page with pusher-js, and what it asked the server for. */
async function open({ name = "plain", key = app(name).key, member, user, ...options } = {}) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const requests = [];
  page.on("request", (request) =>
    requests.push({ method: request.method(), path: new URL(request.url()).pathname }),
  );
  await page.goto(`http://127.0.0.1:${site.address().port}/`);
  await page.addScriptTag({ path: library });
  const signer = server(name, { encryptionMasterKeyBase64 });
  await page.exposeFunction("sign", (socket, channel) =>
    signer.authorizeChannel(socket, channel, channel.startsWith("presence-") ? member : undefined),
  );
  await page.exposeFunction("signUser", (socket) => signer.authenticateUser(socket, user));
  await page.evaluate(
    ({ key, host, port, options }) => {
      const handler = (sign) => (asked, callback) =>
        sign(asked).then((signed) => callback(null, signed), callback);
      window.states = [];
      window.errors = [];
      window.heard = [];
      window.client = new window.Pusher(key, {
        cluster: "",
        wsHost: host,
        wsPort: port,
        httpHost: host,
        httpPort: port,
        forceTLS: false,
        channelAuthorization: { customHandler: handler((a) => window.sign(a.socketId, a.channelName)) },
        userAuthentication: { customHandler: handler((a) => window.signUser(a.socketId)) },
        ...options,
      });
      window.client.connection.bind("state_change", ({ current }) => window.states.push(current));
      window.client.connection.bind("error", (error) =>
        window.errors.push(error?.data?.code ?? error?.error?.data?.code),
      );
      window.subscribed = (channel) =>
        new Promise((resolve, reject) => {
          const made = window.client.subscribe(channel);
          made.bind_global((event, data) => window.heard.push([event, data]));
          made.bind("pusher:subscription_error", (error) => reject(new Error(JSON.stringify(error))));
          made.bind("pusher:subscription_succeeded", resolve);
        });
    },
    { key, host: target.host, port: target.port, options },
  );
  return {
    page,
    requests,
    close: () => context.close(),
    state: () => page.evaluate(() => window.client.connection.state),
    states: () => page.evaluate(() => window.states),
    errors: () => page.evaluate(() => window.errors),
    socket: () => page.evaluate(() => window.client.connection.socket_id),
    transport: () => page.evaluate(() => window.client.connection.connection.transport.name),
    subscribe: (channel) =>
      page.evaluate((channel) => window.subscribed(channel).then(() => undefined), channel),
    trigger: (channel, event, data) =>
      page.evaluate(([c, e, d]) => window.client.channel(c).trigger(e, d), [channel, event, data]),
    heard: (event) =>
      page.evaluate((event) => window.heard.filter(([e]) => e === event).map(([, d]) => d), event),
  };
}

async function connected(options) {
  const page = await open(options);
  await eventually("a connection", async () => (await page.state()) === "connected");
  return page;
}

describe("browser", { concurrency: 6 }, () => {
  for (const transport of transports) {
    const only = { enabledTransports: [transport] };

    test(`trap 65: ${transport} carries every kind of message`, async () => {
      const me = await connected({ ...only, member: { user_id: "me", user_info: { name: "Ann" } } });
      const other = await connected({ enabledTransports: ["ws"], member: { user_id: "other" } });
      assert.equal(await me.transport(), transport);
      assert.match(await me.socket(), /^\d+\.\d+$/);
      const [open, secret, room] = [unique(), unique("private-"), unique("presence-")];
      for (const page of [me, other])
        for (const channel of [open, secret, room]) await page.subscribe(channel);
      assert.deepEqual(await me.page.evaluate((room) => window.client.channel(room).members.me, room), {
        id: "me",
        info: { name: "Ann" },
      });
      await json(await server().trigger([open, secret], "e", { html: "<b>é</b>" }));
      await eventually("both events", async () => (await me.heard("e")).length === 2);
      assert.deepEqual(await me.heard("e"), [{ html: "<b>é</b>" }, { html: "<b>é</b>" }]);
      await me.trigger(secret, "client-to", { n: 1 });
      await other.trigger(room, "client-back", { n: 2 });
      await eventually(
        "client events",
        async () =>
          (await other.heard("client-to")).length === 1 && (await me.heard("client-back")).length === 1,
      );
      assert.deepEqual(await me.heard("client-to"), []);
      // Nothing was tried beside the one transport.
      const used = new Set(
        me.requests.filter((r) => r.path.startsWith("/pusher/")).map((r) => r.path.split("/").at(-1)),
      );
      const expected = {
        ws: [],
        xhr_streaming: ["xhr_send", "xhr_streaming"],
        xhr_polling: ["xhr", "xhr_send"],
      };
      assert.deepEqual([...used].sort(), expected[transport]);
      await Promise.all([me.close(), other.close()]);
    });

    test(`trap 3: ${transport} is told of an unknown key and stays away`, async () => {
      const page = await open({ ...only, key: "no-such-key" });
      await eventually("the end", async () => (await page.states()).at(-1) === "disconnected");
      assert.ok((await page.errors()).includes(4001));
      await pause(1500);
      assert.deepEqual(await page.states(), ["disconnected"]);
      await page.close();
    });

    test(`trap 66: ${transport} loses nothing of 600 KB`, async () => {
      const page = await connected(only);
      const channel = unique();
      const id = await page.socket();
      await page.subscribe(channel);
      const padding = "x".repeat(9000);
      for (let n = 0; n < 66; ) {
        const batch = Array.from({ length: 6 }, () => ({ channel, name: "e", data: { n: n++, padding } }));
        await json(await server().triggerBatch(batch));
      }
      await eventually("all events", async () => (await page.heard("e")).length >= 66, 20_000);
      assert.deepEqual(
        (await page.heard("e")).map((e) => e.n),
        Array.from({ length: 66 }, (_, n) => n),
      );
      assert.equal(await page.socket(), id);
      assert.deepEqual(await page.states(), ["connected"]);
      if (transport === "xhr_streaming") {
        const streams = page.requests.filter((r) => r.method === "POST" && r.path.endsWith("/xhr_streaming"));
        assert.ok(streams.length >= 3, `the stream was opened ${streams.length} times`);
        assert.equal(new Set(streams.map((r) => r.path)).size, 1, "another session was begun");
      }
      await page.close();
    });

    test(`trap 67: ${transport} stays through silence without a storm`, {
      skip: without("brief"),
    }, async () => {
      // The app's timeout makes both sides ask each second whether the other is there.
      const page = await connected({ ...only, name: "brief", pongTimeout: 2000 });
      const id = await page.socket();
      const before = page.requests.length;
      await pause(5000);
      assert.deepEqual(await page.states(), ["connected"]);
      assert.equal(await page.socket(), id);
      const asked = page.requests.length - before;
      assert.ok(asked <= 40, `${asked} requests in 5 s of silence`);
      await page.close();
    });

    test(`trap 32: a closed tab on ${transport} is removed`, async () => {
      const room = unique("presence-");
      const watcher = await connected({ enabledTransports: ["ws"], member: { user_id: "watcher" } });
      const page = await connected({ ...only, member: { user_id: "gone" } });
      await watcher.subscribe(room);
      await page.subscribe(room);
      await eventually("the member", async () => (await watcher.heard("pusher:member_added")).length === 1);
      await page.close();
      await eventually(
        "its end",
        async () => (await watcher.heard("pusher:member_removed")).length === 1,
        15_000,
      );
      await watcher.close();
    });

    test(`trap 44: ${transport} carries what is sealed`, async () => {
      const page = await connected(only);
      const channel = unique("private-encrypted-");
      await page.subscribe(channel);
      await json(
        await server("plain", { encryptionMasterKeyBase64 }).trigger(channel, "e", { secret: "é<&>" }),
      );
      await eventually("the event", async () => (await page.heard("e")).length === 1);
      assert.deepEqual(await page.heard("e"), [{ secret: "é<&>" }]);
      await page.close();
    });

    test(`trap 49: ${transport} reaches a user who signed in`, async () => {
      const user = { id: unique("u"), user_info: { name: "Ann" } };
      const page = await connected({ ...only, user });
      await page.page.evaluate(() => {
        window.toUser = [];
        window.client.user.bind("e", (data) => window.toUser.push(data));
        window.client.signin();
        return window.client.user.signinDonePromise;
      });
      await eventually("the user's channel", () =>
        page.page.evaluate(() => window.client.user.serverToUserChannel?.subscribed),
      );
      await json(await server().sendToUser(user.id, "e", { n: 1 }));
      await eventually("the event", async () => (await page.page.evaluate(() => window.toUser)).length === 1);
      await json(await server().terminateUserConnections(user.id));
      await eventually("the end", async () => (await page.state()) === "disconnected");
      assert.ok((await page.errors()).includes(4009));
      await page.close();
    });
  }

  test("trap 65: who can open no WebSocket falls back by itself", async () => {
    const page = await open({ wsPort: 1 }); // where nobody listens
    await eventually("a connection", async () => (await page.state()) === "connected", 20_000);
    assert.equal(await page.transport(), "xhr_streaming");
    const channel = unique();
    await page.subscribe(channel);
    await json(await server().trigger(channel, "e", "x"));
    await eventually("the event", async () => (await page.heard("e")).length === 1);
    await page.close();
  });

  test("a page of another origin is kept out on every transport", { skip: without("origins") }, async () => {
    for (const transport of transports) {
      const page = await open({ name: "origins", enabledTransports: [transport] });
      await eventually("the end", async () => (await page.states()).at(-1) === "disconnected");
      assert.ok((await page.errors()).includes(4009), `${transport}: ${await page.errors()}`);
      await page.close();
    }
  });
});
