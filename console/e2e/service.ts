// The real service with a home of its own, which serves the built console: one for all tests, and more where a test says how.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** Where the console is. */
    baseUrl: string;
    /** The service's `FLOWETL_HOME`. */
    home: string;
  }
}

const CONSOLE = resolve(import.meta.dirname, "..");
/** `FLOWETL_BIN`, or what the workspace built. */
export const BINARY = process.env["FLOWETL_BIN"] ?? resolve(CONSOLE, "../target/debug/flowetl");
const START_MS = 60_000;

export interface Service {
  /** Where the console is. */
  url: string;
  /** Its `FLOWETL_HOME`. */
  home: string;
  stop: () => Promise<void>;
}

/** One more, with options of `flowetl up`. */
export async function startService(...options: string[]): Promise<Service> {
  const home = mkdtempSync(join(tmpdir(), "flowetl-e2e-"));
  const [grpc, http] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${http}`;
  const places = ["--listen", `127.0.0.1:${grpc}`, "--http", `127.0.0.1:${http}`];
  const service = spawn(BINARY, ["up", ...places, ...options], {
    env: { ...process.env, FLOWETL_HOME: home },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  service.stderr.on("data", (text: Buffer) => (said = (said + text.toString()).slice(-4000)));
  await answers(`${url}/api/v1/health`, service, () => said);
  const stop = async () => {
    const gone = new Promise((done) => service.once("exit", done));
    service.kill("SIGTERM");
    await Promise.race([gone, new Promise((done) => setTimeout(done, 10_000))]);
    service.kill("SIGKILL");
    rmSync(home, { recursive: true, force: true });
  };
  return { url, home, stop };
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (!process.env["FLOWETL_TEST_POSTGRES"])
    throw new Error("there is no PostgreSQL: deploy/servers/up.sh postgres -- npm run e2e");
  if (!existsSync(join(CONSOLE, "dist/index.html")))
    throw new Error("there is no console/dist: run `npm run build`");
  if (!existsSync(BINARY)) throw new Error(`there is no ${BINARY}: build it, or set FLOWETL_BIN`);
  const { url, home, stop } = await startService();
  project.provide("baseUrl", url);
  project.provide("home", home);
  return stop;
}

async function answers(url: string, service: ChildProcess, said: () => string): Promise<void> {
  const until = Date.now() + START_MS;
  while (Date.now() < until) {
    if (service.exitCode !== null) throw new Error(`the service ended:\n${said()}`);
    if (
      await fetch(url).then(
        (response) => response.ok,
        () => false,
      )
    )
      return;
    await new Promise((done) => setTimeout(done, 200));
  }
  throw new Error(`the service did not answer within ${START_MS} ms:\n${said()}`);
}

function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const server = createServer().once("error", failed);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => done(typeof address === "object" && address ? address.port : 0));
    });
  });
}
