// Which organization the pages are about.
import { keep, kept } from "@/lib/storage";
import { createStore, useStore } from "@/lib/store";

const KEY = "flowetl.organization";
const current = createStore<string | null>(kept(KEY));

/** Its id; null until it is known. */
export function currentOrganization(): string | null {
  return current.get();
}

export function useOrganizationId(): string | null {
  return useStore(current);
}

export function setOrganization(id: string | null): void {
  keep(KEY, id);
  current.set(id);
}
