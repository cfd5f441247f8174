import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// Starts the built binary as a developer would, on free ports and in a folder of its own.

const binary = process.env["E2E_BINARY"] ?? fileURLToPath(new URL("../../bin/peal", import.meta.url));

/** The account that `peal dev` seeds. */
export const demo = { email: "dev@peal.local", password: "peal-dev-password" };

export type Peal = {
  dashboardUrl: string;
  edgeUrl: string;
  opsUrl: string;
  /** The demo app. */
  appId: string;
  key: string;
  secret: string;
  /** Asks it to stop and waits; it must end by itself and with 0. */
  stop: () => Promise<void>;
};

/** Makes somebody an operator by a command on the host, against the database that `peal dev` runs in its data folder. */
export async function makeOperator(data: string, email: string): Promise<void> {
  const socket = new URLSearchParams({
    host: join(data, "postgres", "run"),
    port: "5432",
    sslmode: "disable",
  });
  const child = spawn(binary, ["operators", "create", email], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...withoutSettings(),
      PEAL_DATABASE_URL: `postgres://peal@/peal?${socket}`,
      PEAL_KEY_ENCRYPTION_KEY_FILE: join(data, "key-encryption-key"),
    },
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`peal operators create ended with ${String(code)}:\n${said}`);
}

export async function makeDataFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "peal-e2e-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

export async function startPeal(data: string): Promise<Peal> {
  const address = "127.0.0.1:0";
  const child = spawn(
    binary,
    [
      "dev",
      "--data",
      data,
      "--edge-addr",
      address,
      "--control-addr",
      address,
      "--ops-addr",
      address,
      "--json",
    ],
    { stdio: ["ignore", "pipe", "pipe"], env: withoutSettings() },
  );
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => {
    log += chunk.toString();
  });
  const ready = await firstObject(child, () => log);
  return {
    dashboardUrl: ready("dashboard_url"),
    edgeUrl: ready("edge_url"),
    opsUrl: ready("ops_url"),
    appId: ready("app_id"),
    key: ready("key"),
    secret: ready("secret"),
    stop: async () => {
      if (child.exitCode !== null) throw new Error(`peal had ended already, with ${child.exitCode}:\n${log}`);
      const exit = once(child, "exit");
      child.kill("SIGTERM");
      const [code] = await exit;
      if (code !== 0) throw new Error(`peal ended with ${String(code)}:\n${log}`);
    },
  };
}

/** The environment without the settings of whoever runs the tests. */
function withoutSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PEAL_")));
}

function firstObject(child: ChildProcess, log: () => string): Promise<(name: string) => string> {
  return new Promise((resolve, reject) => {
    let out = "";
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`peal ended with ${code} before it was ready:\n${log()}`)));
    child.stdout?.on("data", (chunk: Buffer) => {
      out += chunk.toString();
      let facts: unknown;
      try {
        facts = JSON.parse(out);
      } catch {
        return; // The rest is on its way.
      }
      resolve((name) => {
        const value: unknown =
          typeof facts === "object" && facts !== null ? Reflect.get(facts, name) : undefined;
        if (typeof value !== "string") throw new Error(`peal dev did not print ${name}: ${out}`);
        return value;
      });
    });
  });
}
