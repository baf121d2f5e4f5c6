// The one way to the API: with the token and the organization of now, problems thrown as `ApiProblem`.
import createClient, { type Middleware } from "openapi-fetch";
import { currentOrganization } from "./organization";
import { ApiProblem, problemOf, unreached } from "./problem";
import type { paths } from "./schema.gen";
import { accessToken, renew, signOut, whoIsHere } from "./session";

export const API = "/api/v1";
/** These are called by people who are not signed in. */
const OPEN = ["/auth/login", "/auth/register", "/auth/methods", "/auth/oidc/token", "/health"];

async function reach(request: Request): Promise<Response> {
  return fetch(request).catch((error: unknown) => {
    // Who went away does not need to hear that it failed.
    if (request.signal.aborted) throw error;
    throw unreached(error);
  });
}

async function ask(request: Request): Promise<Response> {
  const path = new URL(request.url).pathname.slice(API.length);
  if (OPEN.includes(path)) return reach(request);
  const token = await accessToken();
  const organization = currentOrganization();
  if (token) request.headers.set("authorization", `Bearer ${token}`);
  if (organization && !path.startsWith("/auth/")) request.headers.set("x-organization", organization);
  const again = request.clone();
  const response = await reach(request);
  if (response.status !== 401) return response;
  // The service asks for signing in again.
  if (whoIsHere() === "anybody") signOut();
  if (!token) return response;
  const renewed = await renew(token);
  if (!renewed) return response;
  again.headers.set("authorization", `Bearer ${renewed}`);
  return reach(again);
}

const problems: Middleware = {
  async onResponse({ response }) {
    if (!response.ok) throw await problemOf(response);
  },
};

export const client = createClient<paths>({ baseUrl: API, fetch: ask });
client.use(problems);

/** What a call was answered with. */
export async function answer<T>(call: Promise<{ data?: T }>): Promise<T> {
  const { data } = await call;
  if (data === undefined)
    throw new ApiProblem({
      status: 502,
      title: "Not understood",
      detail: "the service sent an empty answer",
    });
  return data;
}

/** For calls that are answered with nothing. */
export async function done(call: Promise<unknown>): Promise<void> {
  await call;
}

/** A stream of server-sent events, or any other answer that is read as it comes. */
export async function open(path: string, init: { accept: string; signal: AbortSignal }): Promise<Response> {
  const url = new URL(`${API}${path}`, location.origin);
  const response = await ask(new Request(url, { headers: { accept: init.accept }, signal: init.signal }));
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** Bytes as they are. */
export async function send(method: string, path: string, body: Blob, signal: AbortSignal): Promise<void> {
  const url = new URL(`${API}${path}`, location.origin);
  const headers = { "content-type": "application/octet-stream" };
  const response = await ask(new Request(url, { method, body, headers, signal }));
  if (!response.ok) throw await problemOf(response);
}
