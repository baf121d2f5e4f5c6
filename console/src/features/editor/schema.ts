// The kinds of block that executors announce, and what their schemas say of a block's settings.
import type { Schemas } from "@/api/types";
import { plain, readSchema, type Schema } from "@/lib/json-schema";

/** A kind of block with its schema read. */
export interface Kind {
  kind: string;
  keyword: string;
  with: string | null;
  label: string;
  description: string;
  input: string | null;
  output: string | null;
  schema: Schema;
}

export function readKinds(kinds: readonly Schemas["BlockKind"][]): Kind[] {
  return kinds.map((kind) => ({
    kind: kind.kind,
    keyword: kind.keyword,
    with: kind.with ?? null,
    label: kind.label,
    description: kind.description,
    input: kind.input ?? null,
    output: kind.output ?? null,
    schema: readSchema(kind.settings),
  }));
}

/** The kind that settings make a block; none where they make it none, or more than one. */
export function kindOf(settings: Record<string, unknown>, kinds: readonly Kind[]): Kind | null {
  const has = (key: string) => Object.hasOwn(settings, key);
  const all = kinds.filter((kind) => has(kind.keyword) && (kind.with === null || has(kind.with)));
  const explains = (kind: Kind, other: Kind) => {
    const isNearer = kind.keyword === other.keyword && kind.with !== null && other.with === null;
    const holds = kind.keyword !== other.keyword && kind.schema.properties?.[other.keyword] !== undefined;
    return isNearer || holds;
  };
  const found = all.filter((kind) => !all.some((other) => explains(other, kind) && !explains(kind, other)));
  return found.length === 1 ? (found[0] ?? null) : null;
}

/** What a new block of a kind begins with: what it must have, still empty, as far as that is a text. */
export function beginnings(kind: Kind): Record<string, unknown> {
  const own = [kind.keyword, ...(kind.with === null ? [] : [kind.with])];
  const others = (kind.schema.required ?? []).filter((key) => {
    const { type, enum: choices } = plain(kind.schema.properties?.[key] ?? {}, kind.schema);
    return choices === undefined && (type === undefined || type === "string" || type === "names");
  });
  return Object.fromEntries([...own, ...others].map((key) => [key, ""]));
}
