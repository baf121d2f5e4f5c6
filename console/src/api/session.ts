// Who is signed in: the access token in memory, the refresh token kept for reloads and shared by all tabs.
import { z } from "@/lib/z";
import { keep, kept } from "@/lib/storage";
import { createStore, useStore } from "@/lib/store";
import { ApiProblem, problemOf, unreached } from "./problem";
import type { Schemas } from "./types";

const KEY = "flowetl.refresh";
const LOCK = "flowetl.refresh";
/** Tokens are renewed this long before they end. */
const MARGIN_MS = 30_000;

const tokensDocument = z.object({
  access_token: z.string(),
  refresh_token: z.string(),
  expires_in: z.number(),
});
const told = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("renewed"), token: z.string(), expiresAt: z.number() }),
  z.object({ kind: z.literal("signed-out") }),
]);

interface Access {
  token: string;
  expiresAt: number;
}

/** Who is here: a person who has signed in, or anybody, where the service asks nobody to. */
export type Presence = "nobody" | "person" | "anybody";

const presence = createStore<Presence>(kept(KEY) === null ? "nobody" : "person");
let access: Access | null = null;
let renewing: Promise<string | null> | null = null;

// Other tabs take a token that was renewed here, instead of renewing the renewed one.
const channel = new BroadcastChannel("flowetl.session");
channel.onmessage = ({ data }: MessageEvent<unknown>) => {
  const heard = told.safeParse(data);
  if (!heard.success) return;
  if (heard.data.kind === "signed-out") forget();
  else {
    access = heard.data;
    presence.set("person");
  }
};

export function whoIsHere(): Presence {
  return presence.get();
}

export function useWhoIsHere(): Presence {
  return useStore(presence);
}

/** Hears of signing in and out, here or in another tab. */
export const onSessionChange = presence.subscribe;

/** Lets anybody in, without a token. */
export function letIn(): void {
  presence.set("anybody");
}

export function signIn(tokens: Schemas["Tokens"]): void {
  access = { token: tokens.access_token, expiresAt: Date.now() + tokens.expires_in * 1000 };
  keep(KEY, tokens.refresh_token);
  presence.set("person");
  channel.postMessage({ kind: "renewed", ...access });
}

/** Here and in all other tabs. */
export function signOut(): void {
  forget();
  channel.postMessage({ kind: "signed-out" });
}

function forget(): void {
  access = null;
  keep(KEY, null);
  presence.set("nobody");
}

/** A token that counts, renewed if it is about to end; null where nobody is signed in. */
export async function accessToken(): Promise<string | null> {
  if (access && access.expiresAt - Date.now() > MARGIN_MS) return access.token;
  return renew(access?.token ?? null);
}

/** A token other than `spent`, which did not count. One at a time: a refresh token shown twice ends the session. */
export async function renew(spent: string | null): Promise<string | null> {
  if (presence.get() !== "person") return null;
  renewing ??= exchangeAlone(spent).finally(() => {
    renewing = null;
  });
  return renewing;
}

async function exchangeAlone(spent: string | null): Promise<string | null> {
  // Browsers have locks only where the page came safely; a single tab does without.
  if (!("locks" in navigator)) return exchange(spent);
  return await navigator.locks.request(LOCK, () => exchange(spent));
}

async function exchange(spent: string | null): Promise<string | null> {
  // Another tab may have done it while this one waited.
  if (access && access.token !== spent && access.expiresAt > Date.now()) return access.token;
  const refresh = kept(KEY);
  if (refresh === null) {
    forget();
    return null;
  }
  const response = await fetch("/api/v1/auth/refresh", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ refresh_token: refresh }),
  }).catch((error: unknown) => {
    throw unreached(error);
  });
  if (response.status === 401) {
    signOut();
    return null;
  }
  if (!response.ok) throw await problemOf(response);
  const tokens = tokensDocument.safeParse(await response.json());
  if (!tokens.success)
    throw new ApiProblem({ status: 502, title: "Not understood", detail: "the service sent no tokens" });
  signIn({ ...tokens.data, token_type: "bearer" });
  return access?.token ?? null;
}
