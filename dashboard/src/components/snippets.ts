import type { Language } from "../ui/highlight";

export type SnippetFacts = {
  appId: string;
  key: string;
  secret: string;
  host: string;
  port: number;
  tls: boolean;
};

export type Block = { title: string; language: Language; code: string };
export type Snippet = {
  id: string;
  label: string;
  /** Whether this listens for events or sends them. */
  role: "client" | "server";
  blocks: Block[];
};

export const channel = "my-channel";
export const event = "my-event";

/** The code that a new app needs, filled in. Every one of these runs as it stands against this installation. */
export function snippets(facts: SnippetFacts): Snippet[] {
  return [
    { id: "pusher-js", label: "pusher-js", role: "client", blocks: pusherJs(facts) },
    { id: "node", label: "Node", role: "server", blocks: node(facts) },
    { id: "go", label: "Go", role: "server", blocks: go(facts) },
    { id: "php", label: "PHP", role: "server", blocks: php(facts) },
    { id: "python", label: "Python", role: "server", blocks: python(facts) },
    { id: "ruby", label: "Ruby", role: "server", blocks: ruby(facts) },
    { id: "laravel", label: "Laravel", role: "server", blocks: laravel(facts) },
    { id: "curl", label: "curl", role: "server", blocks: [curl(facts)] },
  ];
}

const scheme = (tls: boolean) => (tls ? "https" : "http");

/** An IPv6 address needs brackets before a port. */
const hostPort = (host: string, port: number) => `${host.includes(":") ? `[${host}]` : host}:${port}`;

const install = (command: string): Block => ({ title: "Install", language: "bash", code: command });

function pusherJs({ key, host, port, tls }: SnippetFacts): Block[] {
  const code = `import Pusher from "pusher-js";

const pusher = new Pusher("${key}", {
  cluster: "",
  wsHost: "${host}",
  wsPort: ${port},
  wssPort: ${port},
  forceTLS: ${tls},
  enabledTransports: ["ws", "wss"],
});

const channel = pusher.subscribe("${channel}");
channel.bind("${event}", (data) => console.log(data));`;
  return [install("npm install pusher-js"), { title: "client.js", language: "js", code }];
}

function node({ appId, key, secret, host, port, tls }: SnippetFacts): Block[] {
  const code = `import Pusher from "pusher";

const pusher = new Pusher({
  appId: "${appId}",
  key: "${key}",
  secret: "${secret}",
  host: "${host}",
  port: "${port}",
  useTLS: ${tls},
});

await pusher.trigger("${channel}", "${event}", { message: "hello world" });`;
  return [install("npm install pusher"), { title: "publish.mjs", language: "js", code }];
}

function go({ appId, key, secret, host, port, tls }: SnippetFacts): Block[] {
  const code = `package main

import (
	"log"

	"github.com/pusher/pusher-http-go/v5"
)

func main() {
	client := pusher.Client{
		AppID:  "${appId}",
		Key:    "${key}",
		Secret: "${secret}",
		Host:   "${hostPort(host, port)}",
		Secure: ${tls},
	}

	data := map[string]string{"message": "hello world"}
	if err := client.Trigger("${channel}", "${event}", data); err != nil {
		log.Fatal(err)
	}
}`;
  return [install("go get github.com/pusher/pusher-http-go/v5"), { title: "main.go", language: "go", code }];
}

function php({ appId, key, secret, host, port, tls }: SnippetFacts): Block[] {
  const code = `<?php

require __DIR__ . '/vendor/autoload.php';

$pusher = new Pusher\\Pusher('${key}', '${secret}', '${appId}', [
    'host' => '${host}',
    'port' => ${port},
    'scheme' => '${scheme(tls)}',
    'useTLS' => ${tls},
]);

$pusher->trigger('${channel}', '${event}', ['message' => 'hello world']);`;
  return [
    install("composer require pusher/pusher-php-server"),
    { title: "publish.php", language: "php", code },
  ];
}

function python({ appId, key, secret, host, port, tls }: SnippetFacts): Block[] {
  const code = `import pusher

client = pusher.Pusher(
    app_id="${appId}",
    key="${key}",
    secret="${secret}",
    host="${host}",
    port=${port},
    ssl=${tls ? "True" : "False"},
)

client.trigger("${channel}", "${event}", {"message": "hello world"})`;
  return [install("pip install pusher"), { title: "publish.py", language: "python", code }];
}

function ruby({ appId, key, secret, host, port, tls }: SnippetFacts): Block[] {
  const code = `require "pusher"

client = Pusher::Client.new(
  app_id: "${appId}",
  key: "${key}",
  secret: "${secret}",
  host: "${host}",
  port: ${port},
  use_tls: ${tls}
)

client.trigger("${channel}", "${event}", { message: "hello world" })`;
  return [install("gem install pusher"), { title: "publish.rb", language: "ruby", code }];
}

function laravel({ appId, key, secret, host, port, tls }: SnippetFacts): Block[] {
  // pusher-js insists on some cluster; with a host given, nobody looks at it.
  const env = `BROADCAST_CONNECTION=pusher

PUSHER_APP_ID=${appId}
PUSHER_APP_KEY=${key}
PUSHER_APP_SECRET=${secret}
PUSHER_HOST=${host}
PUSHER_PORT=${port}
PUSHER_SCHEME=${scheme(tls)}
PUSHER_APP_CLUSTER=mt1

VITE_PUSHER_APP_KEY="\${PUSHER_APP_KEY}"
VITE_PUSHER_HOST="\${PUSHER_HOST}"
VITE_PUSHER_PORT="\${PUSHER_PORT}"
VITE_PUSHER_SCHEME="\${PUSHER_SCHEME}"
VITE_PUSHER_APP_CLUSTER="\${PUSHER_APP_CLUSTER}"`;
  const echo = `import Echo from "laravel-echo";
import Pusher from "pusher-js";

window.Pusher = Pusher;
window.Echo = new Echo({
  broadcaster: "pusher",
  key: import.meta.env.VITE_PUSHER_APP_KEY,
  cluster: import.meta.env.VITE_PUSHER_APP_CLUSTER,
  wsHost: import.meta.env.VITE_PUSHER_HOST,
  wsPort: Number(import.meta.env.VITE_PUSHER_PORT),
  wssPort: Number(import.meta.env.VITE_PUSHER_PORT),
  forceTLS: import.meta.env.VITE_PUSHER_SCHEME === "https",
  enabledTransports: ["ws", "wss"],
});`;
  const tinker = `Broadcast::on('${channel}')->as('${event}')->with(['message' => 'hello world'])->sendNow();`;
  return [
    install("composer require pusher/pusher-php-server\nnpm install laravel-echo pusher-js"),
    { title: ".env", language: "env", code: env },
    { title: "resources/js/echo.js", language: "js", code: echo },
    { title: "php artisan tinker", language: "php", code: tinker },
  ];
}

const exampleBody = JSON.stringify({
  name: event,
  channels: [channel],
  data: JSON.stringify({ message: "hello world" }),
});

/** Signs by hand, for languages without a library: the parameters in the order of their names, then HMAC SHA-256. */
export function curl({ appId, key, secret, host, port, tls }: SnippetFacts, body = exampleBody): Block {
  const code = `app_id='${appId}'
key='${key}'
secret='${secret}'
body='${body}'

path="/apps/$app_id/events"
md5=$(printf '%s' "$body" | openssl dgst -md5 -r | cut -d ' ' -f 1)
query="auth_key=$key&auth_timestamp=$(date +%s)&auth_version=1.0&body_md5=$md5"
signature=$(printf 'POST\\n%s\\n%s' "$path" "$query" |
  openssl dgst -sha256 -hmac "$secret" -r | cut -d ' ' -f 1)

curl -sS -H 'Content-Type: application/json' -d "$body" \\
  "${scheme(tls)}://${hostPort(host, port)}$path?$query&auth_signature=$signature"`;
  return { title: "publish.sh", language: "bash", code };
}
