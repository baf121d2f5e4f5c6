// The JSON Schemas by which kinds of block describe their settings, as far as forms and joins read them.
import { z } from "@/lib/z";
import type { Schemas } from "@/api/types";

const base = z.object({
  $ref: z.string().optional(),
  type: z.union([z.string(), z.array(z.string())]).optional(),
  description: z.string().optional(),
  format: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  default: z.unknown().optional(),
  required: z.array(z.string()).optional(),
  "x-input": z.string().optional(),
  "x-reference": z.string().optional(),
  "x-connection": z.boolean().optional(),
});

/** A schema; `true` stands for anything. */
export type Schema = z.infer<typeof base> & {
  properties?: Record<string, Schema> | undefined;
  items?: Schema | undefined;
  additionalProperties?: Schema | undefined;
  anyOf?: Schema[] | undefined;
  $defs?: Record<string, Schema> | undefined;
};

const schema: z.ZodType<Schema> = z.lazy(() => {
  const inner = z.preprocess((value) => (typeof value === "boolean" ? {} : value), schema);
  return base.extend({
    properties: z.record(z.string(), inner).optional(),
    items: inner.optional(),
    additionalProperties: z.preprocess((value) => (value === false ? undefined : value), inner.optional()),
    anyOf: z.array(inner).optional(),
    $defs: z.record(z.string(), inner).optional(),
  });
});

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
    schema: schema.catch({}).parse(kind.settings),
  }));
}

const ONE_OR_MANY: Schema = { type: "names" };

/** The schema without detours: references followed, `null` beside it left out, `OneOrMany` told as `names`. */
export function plain(at: Schema, root: Schema): Schema {
  if (at.$ref) {
    const { $ref, ...rest } = at;
    const target = root.$defs?.[$ref.split("/").at(-1) ?? ""] ?? {};
    return plain({ ...target, ...rest }, root);
  }
  if (at.anyOf) {
    const { anyOf, ...rest } = at;
    const real = anyOf.filter(({ type }) => type !== "null").map((part) => plain(part, root));
    const types = real.map(({ type }) => type);
    if (types.includes("string") && types.includes("array")) return { ...ONE_OR_MANY, ...rest };
    const [only] = real;
    return real.length === 1 && only ? { ...only, ...rest } : rest;
  }
  if (Array.isArray(at.type)) {
    const types = at.type.filter((type) => type !== "null");
    return { ...at, type: types.length === 1 ? types[0] : undefined };
  }
  return at;
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

/** What a new block of a kind begins with: what it must have, still empty. */
export function beginnings(kind: Kind): Record<string, unknown> {
  const keys = [kind.keyword, ...(kind.with === null ? [] : [kind.with]), ...(kind.schema.required ?? [])];
  return Object.fromEntries(keys.map((key) => [key, ""]));
}
