// People of the tests: signed up by the API, and let in.
import type { BrowserContext } from "playwright-core";
import { inject } from "vitest";
import { z } from "zod";
import { LONGEST_MS } from "./browser";

const tokens = z.object({ access_token: z.string(), refresh_token: z.string() });

export const PASSWORD = "correct horse battery";
let last = 0;

export interface Person {
  email: string;
  /** Calls the API as this person; fails where it refuses. */
  call: (method: string, path: string, body?: unknown) => Promise<unknown>;
  refreshToken: string;
}

/** Somebody new, with an organization of their own or in that of an invitation. */
export async function signUp(place: { organization?: string; invitation?: string } = {}): Promise<Person> {
  last += 1;
  const email = `ann${last}.${process.pid}@example.com`;
  const body = { name: "Ann Example", email, password: PASSWORD, ...place };
  const found = tokens.parse(await call(null, "POST", "/auth/register", body));
  return {
    email,
    refreshToken: found.refresh_token,
    call: (method, path, body) => call(found.access_token, method, path, body),
  };
}

/** Lets a browser in as this person, once: the token counts one time. */
export async function letIn(context: BrowserContext, person: Person): Promise<void> {
  await context.addInitScript((token) => {
    if (sessionStorage.getItem("let-in") === null) localStorage.setItem("flowetl.refresh", token);
    sessionStorage.setItem("let-in", "yes");
  }, person.refreshToken);
}

async function call(token: string | null, method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${inject("baseUrl")}/api/v1${path}`, {
    method,
    signal: AbortSignal.timeout(LONGEST_MS),
    headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === "" ? null : JSON.parse(text);
}
