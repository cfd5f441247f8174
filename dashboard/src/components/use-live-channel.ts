import Pusher from "pusher-js";
import { useEffect, useEffectEvent, useState } from "react";
import type { Edge } from "../api/platform";
import { type Link, linkAfter, refusalOf } from "./link";

export type Received = { name: string; data: unknown; at: Date };

/** Listens to one channel as a customer's page would: through the edge, with the official library. */
export function useLiveChannel(edge: Edge, key: string, channel: string, onEvent: (event: Received) => void) {
  const [link, setLink] = useState<Link>({ state: "connecting" });
  const [attempt, setAttempt] = useState(0);
  const emit = useEffectEvent(onEvent);
  const { host, port, tls } = edge;

  // biome-ignore lint/correctness/useExhaustiveDependencies: attempt is there to connect anew
  useEffect(() => {
    setLink({ state: "connecting" });
    let ended = false;
    const tell = (next: (link: Link) => Link) => ended || setLink(next);
    const pusher = new Pusher(key, {
      cluster: "",
      wsHost: host,
      wsPort: port,
      wssPort: port,
      forceTLS: tls,
      enabledTransports: ["ws", "wss"],
    });
    pusher.connection.bind("error", (error: unknown) => {
      const refusal = refusalOf(error);
      if (refusal) tell(() => refusal);
    });
    pusher.connection.bind("state_change", ({ current }: { current: string }) => {
      tell((link) => linkAfter(link, current));
    });
    const subscription = pusher.subscribe(channel);
    subscription.bind("pusher:subscription_succeeded", () => tell(() => ({ state: "live" })));
    subscription.bind_global((name: string, data: unknown) => {
      if (!ended && !/^pusher(_internal)?:/.test(name)) emit({ name, data, at: new Date() });
    });
    return () => {
      ended = true;
      pusher.disconnect();
    };
  }, [host, port, tls, key, channel, attempt]);

  return { link, reconnect: () => setAttempt((n) => n + 1) };
}
