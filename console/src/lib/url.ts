// What stands in a page's address: lists' search, sort and filters.
import { z } from "@/lib/z";

/** A text that is left out of the address where it is empty or wrong. */
export const textParam = z.catch(z.optional(z.coerce.string().check(z.minLength(1))), undefined);

/** One of these words, else left out. */
export function wordParam<const T extends readonly [string, ...string[]]>(words: T) {
  return z.catch(z.optional(z.enum(words)), undefined);
}

/** `name` ascending, `-name` descending. */
export interface Sort {
  by: string;
  descending: boolean;
}

export function parseSort(text: string | undefined): Sort | null {
  if (!text) return null;
  return text.startsWith("-") ? { by: text.slice(1), descending: true } : { by: text, descending: false };
}

/** The next state of a header that is pressed: ascending, descending, as it came. */
export function nextSort(sort: string | undefined, by: string): string | undefined {
  if (sort === by) return `-${by}`;
  return sort === `-${by}` ? undefined : by;
}

/** The search of every list: what is looked for, and the order. */
export const listSearch = z.object({ q: textParam, sort: textParam });

/** Where to go after signing in: a path here, never another host. */
export function ownPath(text: string | undefined): string {
  return text?.startsWith("/") && !text.startsWith("//") && !text.includes("\\") ? text : "/";
}
