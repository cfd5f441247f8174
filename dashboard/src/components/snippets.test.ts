// @vitest-environment node
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { curl, snippets } from "./snippets";

const run = promisify(execFile);

const facts = {
  appId: "3",
  key: "278d425bdf160c739803",
  secret: "7ad3773142a6692b25b8",
  host: "edge.example.com",
  port: 6001,
  tls: false,
};

function codeOf(id: string, changes: Partial<typeof facts> = {}): string {
  const snippet = snippets({ ...facts, ...changes }).find((one) => one.id === id);
  return snippet?.blocks.map((block) => block.code).join("\n") ?? "";
}

/** Runs the script with the clock stopped and with curl telling what it was called with. */
async function calledWith(script: string): Promise<string[]> {
  const frozen = `date() { echo 1353088179; }\ncurl() { printf '%s\\n' "$@"; }\n${script}`;
  const { stdout } = await run("bash", ["-euo", "pipefail", "-c", frozen]);
  return stdout.trimEnd().split("\n");
}

describe("curl", () => {
  test("signs as the worked vector of the protocol does", async () => {
    const body = '{"name":"foo","channels":["project-3"],"data":"{\\"some\\":\\"data\\"}"}';
    const args = await calledWith(curl(facts, body).code);
    expect(args).toContain(body);
    expect(args.at(-1)).toBe(
      "http://edge.example.com:6001/apps/3/events?auth_key=278d425bdf160c739803&auth_timestamp=1353088179" +
        "&auth_version=1.0&body_md5=ec365a775a4cd0599faeb73354201b6f" +
        "&auth_signature=da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c",
    );
  });

  test("sends valid JSON whose data is JSON again", async () => {
    const args = await calledWith(codeOf("curl"));
    const body: unknown = JSON.parse(args[args.indexOf("-d") + 1] ?? "");
    expect(body).toEqual({ name: "my-event", channels: ["my-channel"], data: '{"message":"hello world"}' });
  });

  test("puts brackets around an IPv6 address", () => {
    expect(codeOf("curl", { host: "::1" })).toContain('"http://[::1]:6001$path');
  });
});

test("every snippet names the channel, the event and the key", () => {
  for (const { id } of snippets(facts)) {
    expect(codeOf(id), id).toContain("my-channel");
    expect(codeOf(id), id).toContain("my-event");
    expect(codeOf(id), id).toContain(facts.key);
  }
});

test("laravel installs what each of its two halves imports", () => {
  const install = snippets(facts).find(({ id }) => id === "laravel")?.blocks[0]?.code;
  expect(install).toBe("composer require pusher/pusher-php-server\nnpm install laravel-echo pusher-js");
});

test("only what runs on a server has the secret", () => {
  for (const { id, role } of snippets(facts)) {
    expect(codeOf(id).includes(facts.secret), id).toBe(role === "server");
  }
});

test.each([
  ["pusher-js", "forceTLS: false", "forceTLS: true"],
  ["node", "useTLS: false", "useTLS: true"],
  ["go", "Secure: false", "Secure: true"],
  ["php", "'scheme' => 'http',\n    'useTLS' => false", "'scheme' => 'https',\n    'useTLS' => true"],
  ["python", "ssl=False", "ssl=True"],
  ["ruby", "use_tls: false", "use_tls: true"],
  ["laravel", "PUSHER_SCHEME=http\n", "PUSHER_SCHEME=https\n"],
  ["curl", "http://", "https://"],
])("%s follows whether the edge has TLS", (id, off, on) => {
  expect(codeOf(id)).toContain(off);
  expect(codeOf(id, { tls: true })).toContain(on);
});

test("each library gets host and port in its own way", () => {
  expect(codeOf("pusher-js")).toContain('wsHost: "edge.example.com",\n  wsPort: 6001,\n  wssPort: 6001');
  expect(codeOf("node")).toContain('host: "edge.example.com",\n  port: "6001"');
  expect(codeOf("go")).toContain('Host:   "edge.example.com:6001"');
  expect(codeOf("php")).toContain("'host' => 'edge.example.com',\n    'port' => 6001");
  expect(codeOf("python")).toContain('host="edge.example.com",\n    port=6001');
  expect(codeOf("ruby")).toContain('host: "edge.example.com",\n  port: 6001');
  expect(codeOf("laravel")).toContain("PUSHER_HOST=edge.example.com\nPUSHER_PORT=6001");
});
