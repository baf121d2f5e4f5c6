// The JSON Schemas by which blocks and connectors describe their settings, as far as forms and joins read them.
import { z } from "./z";

/** A word that is used otherwise than here is as good as left out. */
function word<T extends z.ZodMiniType>(type: T) {
  return z.catch(z.optional(type), undefined);
}

const base = z.object({
  $ref: word(z.string()),
  type: word(z.union([z.string(), z.array(z.string())])),
  title: word(z.string()),
  description: word(z.string()),
  format: word(z.string()),
  enum: word(z.array(z.unknown())),
  const: z.optional(z.unknown()),
  default: z.optional(z.unknown()),
  required: word(z.array(z.string())),
  minimum: word(z.number()),
  maximum: word(z.number()),
  writeOnly: word(z.boolean()),
  "x-input": word(z.string()),
  "x-reference": word(z.string()),
  "x-connection": word(z.boolean()),
});

/** A schema; one without words stands for anything. */
export type Schema = z.infer<typeof base> & {
  properties?: Record<string, Schema> | undefined;
  items?: Schema | undefined;
  additionalProperties?: Schema | undefined;
  anyOf?: Schema[] | undefined;
  oneOf?: Schema[] | undefined;
  allOf?: Schema[] | undefined;
  $defs?: Record<string, Schema> | undefined;
};

const schema: z.ZodMiniType<Schema> = z.lazy(() => {
  const inner = z.catch(schema, {});
  return z.extend(base, {
    properties: word(z.record(z.string(), inner)),
    items: word(inner),
    // `false` allows none: the same as nothing said, for a form.
    additionalProperties: z.pipe(
      z.transform((value) => (value === false ? undefined : value)),
      word(inner),
    ),
    anyOf: word(z.array(inner)),
    oneOf: word(z.array(inner)),
    allOf: word(z.array(inner)),
    $defs: word(z.record(z.string(), inner)),
  });
});

/** Whatever cannot be read stands for anything, so that no setting is missing. */
export function readSchema(value: unknown): Schema {
  return z.catch(schema, {}).parse(value);
}

const ONE_OR_MANY: Schema = { type: "names" };
/** A definition that names itself comes to an end. */
const DEPTH_MAX = 16;

/** The schema without detours: references followed, `null` beside it left out, `OneOrMany` told as `names`. */
export function plain(at: Schema, root: Schema, depth = 0): Schema {
  const next = (part: Schema) => (depth < DEPTH_MAX ? plain(part, root, depth + 1) : {});
  const { $ref, anyOf, oneOf, allOf, ...rest } = at;
  if ($ref) return next({ ...root.$defs?.[$ref.split("/").at(-1) ?? ""], ...rest });
  const [whole, ...others] = allOf ?? [];
  if (whole && others.length === 0) return { ...next(whole), ...rest };
  const choices = anyOf ?? oneOf;
  if (choices) {
    const real = choices.filter(({ type }) => type !== "null").map(next);
    const words = real.flatMap((part) => part.enum ?? []);
    if (real.length > 0 && real.every((part) => part.enum)) return { ...rest, enum: words };
    if (isOneOrMany(real)) return { ...ONE_OR_MANY, ...rest };
    const [only] = real;
    return real.length === 1 && only ? { ...only, ...rest } : rest;
  }
  if (at.const !== undefined && at.const !== null) return { ...at, enum: [at.const] };
  if (Array.isArray(at.type)) {
    const types = at.type.filter((type) => type !== "null");
    return { ...at, type: types.length === 1 ? types[0] : undefined };
  }
  return at;
}

function isOneOrMany(parts: readonly Schema[]): boolean {
  const list = parts.find(({ type }) => type === "array");
  return parts.length === 2 && parts.some(({ type }) => type === "string") && list?.items?.type === "string";
}

export function isSecret({ writeOnly, format }: Schema): boolean {
  return writeOnly === true || format === "password";
}

/** What is wrong with a number; null where it is right. */
export function numberProblem(
  label: string,
  value: number,
  isWhole: boolean,
  { minimum, maximum }: Schema,
): string | null {
  if (!Number.isFinite(value) || (isWhole && !Number.isInteger(value)))
    return `${label} is a ${isWhole ? "whole " : ""}number.`;
  const [low, high] = [minimum ?? -Infinity, maximum ?? Infinity];
  if (value >= low && value <= high) return null;
  if (minimum === undefined) return `${label} is at most ${high}.`;
  return maximum === undefined ? `${label} is at least ${low}.` : `${label} is between ${low} and ${high}.`;
}
