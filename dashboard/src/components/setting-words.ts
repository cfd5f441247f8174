import { type FeatureKey, LimitUnit } from "../api/settings";

// What settings are called and do, for people. Numbers, ranges and defaults come from the server.

export const features: readonly { key: FeatureKey; name: string; does: string }[] = [
  {
    key: "clientEvents",
    name: "Client events",
    does: "Clients may publish to the private and presence channels that they are on.",
  },
  {
    key: "subscriptionCount",
    name: "Subscription count",
    does: "Subscribers are told how many they are. Presence channels say more already.",
  },
  {
    key: "watchlist",
    name: "Watchlist",
    does: "Signed-in users are told when the users that they watch come and go.",
  },
  {
    key: "authorizedConnections",
    name: "Authorized connections",
    does: "Closes connections that have neither signed in nor joined a private or presence channel within the authorization timeout.",
  },
  {
    key: "tlsOnly",
    name: "TLS only",
    does: "Refuses connections and requests that do not come over TLS.",
  },
  {
    key: "compression",
    name: "Compression (permessage-deflate)",
    does: "Offers WebSocket clients to compress messages. Costs memory for each connection.",
  },
];

type Words = { name: string; of?: string };

/** By the names of the contract, in groups that are read together. */
const groups: readonly { title: string; limits: Readonly<Record<string, Words>> }[] = [
  {
    title: "Connections and rates",
    limits: {
      connections: { name: "Connections", of: "Clients connected at once." },
      connections_per_second: { name: "New connections", of: "Clients that connect." },
      messages_per_second: { name: "Messages published", of: "One for each channel of each event." },
      messages_per_day: { name: "Messages of a day", of: "From midnight to midnight UTC." },
      client_events_per_second: { name: "Client events", of: "Of one connection." },
      channels_per_socket: { name: "Channels per connection" },
    },
  },
  {
    title: "Events",
    limits: {
      payload_bytes: { name: "Event data" },
      event_name_length: { name: "Event name" },
      channel_name_length: { name: "Channel name", of: "Prefix included." },
      channels_per_publish: { name: "Channels per publish" },
      events_per_batch: { name: "Events per batch" },
      cache_ttl_seconds: { name: "Cache channels keep an event" },
    },
  },
  {
    title: "Users",
    limits: {
      presence_members: { name: "Members of a presence channel" },
      member_info_bytes: { name: "Info of a member" },
      watchlist_users: { name: "Users on a watchlist" },
    },
  },
  {
    title: "Timeouts",
    limits: {
      activity_timeout_seconds: { name: "Activity timeout", of: "Silence before a ping." },
      authorization_timeout_seconds: {
        name: "Authorization timeout",
        of: "Only with authorized connections.",
      },
    },
  },
];

/** A limit of an app or of a plan, with its words. */
export type NamedLimit<L> = Words & { limit: L };
export type LimitGroup<L> = { title: string; limits: NamedLimit<L>[] };

/** All limits that the server tells of, in groups. One that this version has no words for goes by its own name. */
export function groupLimits<L extends { name: string }>(limits: readonly L[]): LimitGroup<L>[] {
  const left = new Map(limits.map((limit) => [limit.name, limit]));
  const known = groups.map(({ title, limits: words }) => ({
    title,
    limits: Object.entries(words).flatMap(([name, said]) => {
      const limit = left.get(name);
      left.delete(name);
      return limit ? [{ ...said, limit }] : [];
    }),
  }));
  const others = [...left.values()].map((limit) => ({ name: ownName(limit), limit }));
  return [...known, { title: "Others", limits: others }].filter((group) => group.limits.length > 0);
}

function ownName({ name }: { name: string }): string {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function unitName(unit: LimitUnit): string {
  switch (unit) {
    case LimitUnit.PER_SECOND:
      return "per second";
    case LimitUnit.PER_DAY:
      return "per day";
    case LimitUnit.BYTES:
      return "bytes";
    case LimitUnit.CHARACTERS:
      return "characters";
    case LimitUnit.SECONDS:
      return "seconds";
    default:
      return "";
  }
}
