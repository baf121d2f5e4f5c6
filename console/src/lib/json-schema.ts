// JSON Schema of settings, as connectors and blocks announce them, read into the fields of a form.
import { asText } from "./as-text";
import { z } from "./z";

const property = z
  .object({
    type: z.union([z.string(), z.array(z.string())]).optional(),
    description: z.string().optional(),
    title: z.string().optional(),
    format: z.string().optional(),
    enum: z.array(z.unknown()).optional(),
    const: z.unknown().optional(),
    default: z.unknown().optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    writeOnly: z.boolean().optional(),
  })
  .loose();
const schema = z.object({
  properties: z.record(z.string(), property).default({}),
  required: z.array(z.string()).default([]),
});

export type FieldKind = "text" | "number" | "flag" | "choice" | "secret";

export interface SettingField {
  key: string;
  label: string;
  help: string | null;
  kind: FieldKind;
  /** Of a choice. */
  choices: string[];
  isRequired: boolean;
  /** As text; null where there is none. */
  fallback: string | null;
  minimum: number | null;
  maximum: number | null;
  isWhole: boolean;
}

/** The fields of an object's schema, in its order; what is always the same is none. */
export function settingFields(settings: unknown): SettingField[] {
  const { properties, required } = schema.parse(settings);
  const own = Object.entries(properties).filter(([, { const: fixed }]) => fixed === undefined);
  return own.map(([key, found]) => {
    const types = [found.type ?? []].flat();
    return {
      key,
      label: found.title ?? labelOf(key),
      help: found.description ? found.description.replaceAll("`", "") : null,
      kind: kindOf(found, types),
      choices: (found.enum ?? []).filter((choice) => typeof choice === "string"),
      isRequired: required.includes(key),
      fallback: asText(found.default) || null,
      minimum: found.minimum ?? null,
      maximum: found.maximum ?? null,
      isWhole: types.includes("integer"),
    };
  });
}

function kindOf(found: z.infer<typeof property>, types: string[]): FieldKind {
  if (found.writeOnly === true || found.format === "password") return "secret";
  if (found.enum?.some((choice) => typeof choice === "string")) return "choice";
  if (types.includes("integer") || types.includes("number")) return "number";
  return types.includes("boolean") ? "flag" : "text";
}

const WORDS: Record<string, string> = {
  sslmode: "Encryption",
  sslrootcert: "Authority certificates",
  allow_http: "Allow plain HTTP",
};

function labelOf(key: string): string {
  const words = WORDS[key] ?? key.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What is wrong with a text in such a field; null where it is right. */
export function fieldProblem(field: SettingField, text: string): string | null {
  if (text.trim() === "") return field.isRequired ? `${field.label} is missing.` : null;
  if (field.kind !== "number") return null;
  const value = Number(text);
  if (!Number.isFinite(value) || (field.isWhole && !Number.isInteger(value)))
    return `${field.label} is a ${field.isWhole ? "whole " : ""}number.`;
  const { minimum, maximum } = field;
  if ((minimum !== null && value < minimum) || (maximum !== null && value > maximum))
    return `${field.label} is ${range(minimum, maximum)}.`;
  return null;
}

function range(minimum: number | null, maximum: number | null): string {
  if (minimum !== null && maximum !== null) return `between ${minimum} and ${maximum}`;
  return minimum !== null ? `at least ${minimum}` : `at most ${maximum ?? 0}`;
}

/** The value that is sent; null where nothing was put in. */
export function fieldValue(field: SettingField, text: string): string | number | boolean | null {
  const trimmed = field.kind === "secret" ? text : text.trim();
  if (trimmed === "") return null;
  if (field.kind === "number") return Number(trimmed);
  return field.kind === "flag" ? trimmed === "true" : trimmed;
}
