// Who is signed in, where they belong, and what they may do there.
import { notifyManager, QueryObserver, queryOptions, useSuspenseQuery } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { answer, client } from "./client";
import { currentOrganization, setOrganization, useOrganizationId } from "./organization";
import { queryClient } from "./query-client";
import { type Presence, useWhoIsHere, whoIsHere } from "./session";
import type { Schemas } from "./types";

export type Role = Schemas["Role"];

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }) =>
    whoIsHere() === "anybody" ? anybody(signal) : answer(client.GET("/auth/me", { signal })),
  staleTime: 60_000,
});

/** Where nobody signs in, whoever is here owns everything. */
async function anybody(signal: AbortSignal): Promise<Schemas["Me"]> {
  const memberships = await answer(client.GET("/organizations", { signal }));
  return { id: "", name: "This machine", email: "", created_at: "", super_admin: true, memberships };
}

/** As people read them. */
export const ROLE_NAMES: Record<Role, string> = {
  viewer: "Viewer",
  editor: "Editor",
  admin: "Admin",
  owner: "Owner",
};

const RANK: Record<Role, number> = { viewer: 0, editor: 1, admin: 2, owner: 3 };

/** What each act needs, as the service asks it. */
const NEEDS = {
  edit: "editor",
  run: "editor",
  delete: "admin",
  invite: "admin",
  "see audit log": "admin",
  "change alerts": "admin",
  "change organization": "owner",
  "hand over": "owner",
  "have keys": "viewer",
  "open vault": "owner",
  "take out secrets": "owner",
} satisfies Record<string, Role>;

export type Act = keyof typeof NEEDS;

/** What is done in somebody's name. */
const PERSONAL: readonly Act[] = ["invite", "hand over", "have keys"];

export interface Permission {
  allowed: boolean;
  /** Why not, for the tooltip of the button that is disabled. */
  reason: string | null;
}

export function permission(role: Role | null, act: Act, who: Presence = "person"): Permission {
  if (who === "anybody" && PERSONAL.includes(act))
    return { allowed: false, reason: "This needs somebody who signs in; here nobody does (--auth off)." };
  const needed = NEEDS[act];
  if (role !== null && RANK[role] >= RANK[needed]) return { allowed: true, reason: null };
  return { allowed: false, reason: `This needs the role ${needed}; yours is ${role ?? "none"}.` };
}

/** Chooses the organization that was chosen last, if the person is still in it; else the first. */
export async function enterOrganization(): Promise<Schemas["Me"]> {
  const me = await queryClient.query({ ...meQuery, staleTime: "static" });
  const ids = me.memberships.map(({ organization }) => organization.id);
  const current = currentOrganization();
  if (current === null || !ids.includes(current)) setOrganization(ids[0] ?? null);
  return me;
}

export function useMe(): Schemas["Me"] {
  return useSuspenseQuery(meQuery).data;
}

const asking = new Set<() => void>();
let stop: (() => void) | undefined;

/** One observer for all who ask: each line of a long list asks for what may be done with it. */
function subscribe(changed: () => void): () => void {
  asking.add(changed);
  // Once what told of it is done: who leaves an organization is in another one by then.
  const told = notifyManager.batchCalls(() => {
    for (const one of asking) one();
  });
  stop ??= new QueryObserver(queryClient, meQuery).subscribe(told);
  return () => {
    asking.delete(changed);
    if (asking.size > 0) return;
    stop?.();
    stop = undefined;
  };
}

const known = () => queryClient.getQueryData(meQuery.queryKey);

/** The membership in the organization of now; null where the person has none. */
export function useMembership(): Schemas["Membership"] | null {
  const id = useOrganizationId();
  const data = useSyncExternalStore(subscribe, known);
  return data?.memberships.find(({ organization }) => organization.id === id) ?? null;
}

export function useMay(act: Act): Permission {
  return permission(useMembership()?.role ?? null, act, useWhoIsHere());
}

/** Shows everything anew for another organization. */
export function switchOrganization(id: string | null): void {
  setOrganization(id);
  queryClient.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "me" && queryKey[0] !== "auth" });
}

/** The organization of now, on pages that are only shown where there is one. */
export function useOrganization(): Schemas["Organization"] {
  const membership = useMembership();
  if (membership === null) throw new Error("there is no organization");
  return membership.organization;
}
