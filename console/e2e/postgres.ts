// PostgreSQL of the tests: the one of `deploy/servers/up.sh postgres`, with tables to read.
import { execFileSync } from "node:child_process";
import { z } from "zod";
import type { Person } from "./people";

const found = z.object({ id: z.string() });
const look = z.object({ state: z.string() });

/** Its address; `service.ts` sees to it that there is one. */
export const POSTGRES = process.env["FLOWETL_TEST_POSTGRES"] ?? "";

/** Runs statements as its owner. */
export function psql(text: string): string {
  const options = [POSTGRES, "-v", "ON_ERROR_STOP=1", "-qAt"];
  return execFileSync("psql", options, { input: text, encoding: "utf8" }).trim();
}

/** The server's connection in the organization of a person, under a name, its tables looked at. */
export async function connect(person: Person, name: string): Promise<void> {
  const url = new URL(POSTGRES);
  const made = await person.call("POST", "/connections", {
    name,
    type: "postgres",
    host: url.hostname,
    port: Number(url.port),
    database: url.pathname.slice(1),
    username: url.username,
  });
  const { id } = found.parse(made);
  await person.call("POST", `/connections/${id}/discover`);
  for (;;) {
    const { state } = look.parse(await person.call("GET", `/connections/${id}/discover`));
    if (state === "success") return;
    if (state !== "running") throw new Error(`looking at ${name}: ${state}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}
