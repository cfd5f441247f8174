import { Link as PageLink } from "@tanstack/react-router";
import { CircleCheck, Pause, Play, Send } from "lucide-react";
import { useEffect, useEffectEvent, useId, useState } from "react";
import { usePublishEvent } from "../api/events";
import { Permission, useReasonAgainst } from "../api/permission";
import type { Edge } from "../api/platform";
import type { Tone } from "../ui/badge";
import { Button, buttonClass } from "../ui/button";
import { Callout } from "../ui/callout";
import { cx } from "../ui/cx";
import { IconButton } from "../ui/icon-button";
import { useShortcut } from "../ui/shortcut";
import { StatusDot } from "../ui/status-dot";
import type { Link } from "./link";
import { arrive, emptyList, type LiveList, setPaused } from "./live-list";
import { ReceivedEvent } from "./received-event";
import { channel, event } from "./snippets";
import { type Received, useLiveChannel } from "./use-live-channel";
import { useProblemToast } from "./use-problem-toast";

const keep = 50;
type Item = Received & { id: number };

const nextId = (list: LiveList<Item>) => ((list.held[0] ?? list.shown[0])?.id ?? 0) + 1;

/** Listens to the example channel and shows what arrives. */
export function LivePanel({
  appId,
  appKey,
  edge,
  onStale,
}: {
  appId: string;
  appKey: string;
  edge: Edge;
  /** Called when the edge does not know the key, and before connecting again: it may be revoked by now. */
  onStale: () => void;
}) {
  const titleId = useId();
  const [list, setList] = useState(() => emptyList<Item>(keep));
  const [count, setCount] = useState(0);
  const [stopped, setStopped] = useState(false);
  const [hovered, setHovered] = useState(false);
  const paused = stopped || hovered;

  const { link, reconnect } = useLiveChannel(edge, appKey, channel, (received) => {
    setCount((n) => n + 1);
    setList((now) => arrive(now, { ...received, id: nextId(now) }));
  });

  useEffect(() => setList((now) => setPaused(now, paused)), [paused]);
  useShortcut("p", () => setStopped(!stopped));

  const refused = link.state === "refused";
  const unknownKey = refused && link.code === noSuchKey;
  const tellStale = useEffectEvent(onStale);
  useEffect(() => {
    if (unknownKey) tellStale();
  }, [unknownKey]);

  const latest = list.shown[0];
  return (
    <section
      aria-labelledby={titleId}
      className={cx(
        "overflow-hidden rounded-lg border transition-colors duration-100",
        count > 0 ? "border-ok-line" : "border-line",
      )}
    >
      <header className="flex h-11 items-center gap-2 border-line border-b bg-panel pr-1.5 pl-4">
        <h2 id={titleId} className="min-w-0 flex-1 truncate font-medium text-13">
          Events on <code className="text-12">{channel}</code>
        </h2>
        <LinkState link={link} paused={stopped} />
        <IconButton
          size="sm"
          label={stopped ? "Resume (P)" : "Pause (P)"}
          aria-pressed={stopped}
          onClick={() => setStopped(!stopped)}
          icon={
            stopped ? <Play aria-hidden className="size-3.5" /> : <Pause aria-hidden className="size-3.5" />
          }
        />
      </header>
      <div className="flex flex-col gap-4 p-4">
        <LinkAdvice
          appId={appId}
          link={link}
          edge={edge}
          onReconnect={() => {
            onStale();
            reconnect();
          }}
        />
        {!refused && <Arrival count={count} listening={link.state === "live"} />}
        <SendTestEvent appId={appId} deaf={refused} />
      </div>
      <p role="status" className="sr-only">
        {latest ? `${latest.name} arrived on ${channel}` : ""}
      </p>
      {list.shown.length > 0 && (
        // Hovering holds the list still, so that a row does not slip away under the pointer.
        <div onPointerEnter={() => setHovered(true)} onPointerLeave={() => setHovered(false)}>
          {paused && (
            <p className="border-line border-t bg-panel px-4 py-1.5 text-12 text-muted">
              Paused. {list.missed === 0 ? "Nothing arrived meanwhile." : `${list.missed} arrived meanwhile.`}
            </p>
          )}
          <ol
            aria-label="Events, newest first"
            className="max-h-60 overflow-y-auto xl:max-h-96 border-line border-t"
          >
            {list.shown.map((item) => (
              <ReceivedEvent key={item.id} event={item} open={item === latest} />
            ))}
          </ol>
        </div>
      )}
    </section>
  );
}

const states: Record<Link["state"], { tone: Tone; word: string }> = {
  connecting: { tone: "warn", word: "Connecting" },
  live: { tone: "ok", word: "Live" },
  unavailable: { tone: "bad", word: "Unavailable" },
  closed: { tone: "neutral", word: "Closed" },
  refused: { tone: "bad", word: "Refused" },
};

function LinkState({ link, paused }: { link: Link; paused: boolean }) {
  const state =
    paused && link.state === "live" ? { tone: "neutral" as const, word: "Paused" } : states[link.state];
  return (
    <span role="status" aria-label="Connection" className="flex items-center gap-1.5 text-12 text-muted">
      <StatusDot tone={state.tone} pulse={state.word === "Live" || state.word === "Connecting"} />
      {state.word}
    </span>
  );
}

/** The key is unknown, revoked, or of an app that is gone. */
const noSuchKey = 4001;

const adviceOn: Record<number, string> = {
  [noSuchKey]: "The key may have been revoked, or its app deleted.",
  4003: "The app is disabled. It can be enabled in its settings.",
  4004: "The app has as many sockets as it may have. Close some, then connect again.",
};

function LinkAdvice({
  appId,
  link,
  edge,
  onReconnect,
}: {
  appId: string;
  link: Link;
  edge: Edge;
  onReconnect: () => void;
}) {
  const again = (
    <Button size="sm" onClick={onReconnect}>
      Connect again
    </Button>
  );
  if (link.state === "refused") {
    return (
      <Callout tone="bad" title={`The edge refused the connection with code ${link.code}`}>
        {link.reason && <p className="text-muted">It said: {link.reason}</p>}
        {adviceOn[link.code] && <p className="text-muted">{adviceOn[link.code]}</p>}
        <div className="mt-2 flex flex-wrap gap-2">
          {again}
          {link.code === noSuchKey && (
            <PageLink to="/apps/$appId/keys" params={{ appId }} className={buttonClass("secondary", "sm")}>
              Go to keys
            </PageLink>
          )}
        </div>
      </Callout>
    );
  }
  if (link.state === "closed") {
    return (
      <Callout title="The connection is closed">
        <div className="mt-2">{again}</div>
      </Callout>
    );
  }
  if (link.state !== "unavailable") return null;
  const blocked = location.protocol === "https:" && !edge.tls;
  return (
    <Callout tone="warn" title="The edge does not answer">
      <p className="text-muted">
        {blocked
          ? "This page came over TLS and the edge speaks without it, which browsers do not allow. Give the edge TLS."
          : `Check that this browser can reach ${edge.host} on port ${edge.port}. It tries again by itself.`}
      </p>
      <div className="mt-2">{again}</div>
    </Callout>
  );
}

function Arrival({ count, listening }: { count: number; listening: boolean }) {
  if (count > 0) {
    return (
      <div className="flex items-center gap-3 rounded-md border border-ok-line bg-ok-soft px-3 py-2.5">
        <CircleCheck aria-hidden className="size-5 shrink-0 text-ok" />
        <div className="text-13">
          <p className="font-medium text-ok">
            {count === 1 ? "Your first event arrived" : `${count} events arrived`}
          </p>
          <p className="text-muted">This app is ready to use.</p>
        </div>
      </div>
    );
  }
  return (
    <div className="flex items-center gap-3 rounded-md border border-line border-dashed px-3 py-2.5">
      <span className="flex size-5 shrink-0 items-center justify-center">
        <StatusDot tone={listening ? "accent" : "neutral"} pulse={listening} />
      </span>
      <div className="text-13">
        <p className="font-medium">Waiting for your first event</p>
        <p className="text-muted">
          Publish <code className="text-12">{event}</code> from your server, or send one from here.
        </p>
      </div>
    </div>
  );
}

function SendTestEvent({ appId, deaf }: { appId: string; deaf: boolean }) {
  const publish = usePublishEvent();
  const tellProblem = useProblemToast();
  const notAllowed = useReasonAgainst(Permission.EVENTS_PUBLISH);
  const reason = notAllowed ?? (deaf ? "It would not arrive here: the connection was refused." : undefined);

  function send() {
    const data = JSON.stringify({ message: "hello from the dashboard" });
    publish.mutate(
      { appId, channel, name: event, data },
      { onError: (error) => tellProblem("The event was not sent", error) },
    );
  }

  return (
    <Button
      reason={reason}
      busy={publish.isPending}
      onClick={send}
      icon={<Send aria-hidden className="size-4" />}
      className="w-full"
    >
      Send a test event
    </Button>
  );
}
