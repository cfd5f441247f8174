// The server under test, as the Go side of the suite hands it over, and clients of it.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after } from "node:test";
import PusherServer from "pusher";

/** @type {{host: string, port: number, apps: Record<string, {id: string, key: string, secret: string}>, needs: Record<string, string>, own: boolean}} */
export const target = JSON.parse(process.env.CONFORMANCE_TARGET ?? "null");
if (!target) throw new Error("CONFORMANCE_TARGET is not set: run these tests by `make conformance`");

/** Whether the server has an app like this; if not, the reason to skip a test. */
export function without(...names) {
  const missing = names.filter((name) => !target.apps[name]);
  return missing.length > 0 ? `needs ${missing.map((name) => target.needs[name]).join(" and ")}` : false;
}

export const app = (name) => target.apps[name];

let channels = 0;
const run = randomUUID().slice(0, 8);

/** A channel name that no other test has. */
export const unique = (prefix = "") => `${prefix}js-${run}-${++channels}`;

/** Pusher's own server library for an app. */
export function server(name = "plain", more = {}) {
  const { id, key, secret } = app(name);
  return new PusherServer({
    appId: id,
    key,
    secret,
    host: target.host,
    port: String(target.port),
    useTLS: false,
    ...more,
  });
}

/** The options with which pusher-js finds the server, and has its subscriptions signed. */
export function options(name = "plain", more = {}) {
  const signer = server(name, more.signer);
  const { member, user, signer: _, ...rest } = more;
  return {
    cluster: "",
    wsHost: target.host,
    wsPort: target.port,
    httpHost: target.host,
    httpPort: target.port,
    forceTLS: false,
    enabledTransports: ["ws"],
    channelAuthorization: {
      customHandler: ({ socketId, channelName }, callback) => {
        try {
          const presence = channelName.startsWith("presence-") ? member : undefined;
          callback(null, signer.authorizeChannel(socketId, channelName, presence));
        } catch (error) {
          callback(error, null);
        }
      },
    },
    userAuthentication: {
      customHandler: ({ socketId }, callback) => callback(null, signer.authenticateUser(socketId, user)),
    },
    ...rest,
  };
}

const open = new Set();
after(() => {
  for (const client of open) client.disconnect();
});

/** Disconnects a client when the tests are over, so that the process ends. */
export function keep(client) {
  open.add(client);
  return client;
}

/** Resolves with what an emitter calls an event with, or fails after a time. */
export const once = async (emitter, event, within) => (await onceWith(emitter, event, within)).data;

/** The same with the metadata that pusher-js hands over beside the data. */
export function onceWith(emitter, event, within = 10_000) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      emitter.unbind(event, heard);
      reject(new Error(`${event} did not come within ${within} ms`));
    }, within);
    const heard = (data, metadata) => {
      clearTimeout(timer);
      emitter.unbind(event, heard);
      resolve({ data, metadata });
    };
    emitter.bind(event, heard);
  });
}

/** Waits until the server has answered all that the client has sent so far. */
export async function roundTrip(client) {
  const answered = new Promise((resolve) => {
    client.connection.bind("message", function heard(message) {
      if (message.event !== "pusher:pong") return;
      client.connection.unbind("message", heard);
      resolve();
    });
  });
  client.connection.send_event("pusher:ping", {});
  await answered;
}

/** Collects what an emitter calls an event with. */
export function all(emitter, event) {
  const heard = [];
  emitter.bind(event, (data) => heard.push(data));
  return heard;
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until something holds that nobody tells of. */
export async function eventually(what, holds, within = 10_000) {
  for (const end = Date.now() + within; !(await holds()); await pause(20)) {
    if (Date.now() > end) assert.fail(`waited in vain for ${what}`);
  }
}

/** The answer's JSON; 200 is the only success. */
export async function json(response) {
  assert.equal(response.status, 200);
  return response.json();
}
