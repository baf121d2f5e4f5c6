// The settings of a connection, as its connector announces them, as the fields of a form.
import { parse } from "yaml";
import { asText } from "./as-text";
import { isSecret, numberProblem, plain, readSchema, type Schema } from "./json-schema";

export type FieldKind = "text" | "number" | "flag" | "choice" | "secret" | "list" | "yaml";

export interface SettingField {
  key: string;
  label: string;
  help: string | null;
  kind: FieldKind;
  /** Of a choice. */
  choices: readonly unknown[];
  isRequired: boolean;
  /** As text; null where there is none. */
  fallback: string | null;
  isWhole: boolean;
  schema: Schema;
}

/** The fields of an object's schema, in its order; what is always the same is none. */
export function settingFields(settings: unknown): SettingField[] {
  const root = readSchema(settings);
  const own = Object.entries(root.properties ?? {}).filter(([, { const: fixed }]) => fixed === undefined);
  return own.map(([key, property]) => {
    const found = plain(property, root);
    // Several types are told by the first of them that has a field of its own.
    const types = [property.type ?? found.type ?? []].flat();
    const kind = kindOf(found, types, root);
    const fallback = found.default ?? null;
    return {
      key,
      label: found.title ?? labelOf(key),
      help: found.description ? found.description.replaceAll("`", "") : null,
      kind,
      choices: (found.enum ?? []).filter((choice) => choice !== null),
      isRequired: root.required?.includes(key) ?? false,
      fallback: fallback === null ? null : fieldText(kind, fallback) || null,
      isWhole: types.includes("integer"),
      schema: found,
    };
  });
}

function kindOf(found: Schema, types: string[], root: Schema): FieldKind {
  if (isSecret(found)) return "secret";
  if (found.enum) return "choice";
  if (types.includes("integer") || types.includes("number")) return "number";
  if (types.includes("boolean")) return "flag";
  const items = plain(found.items ?? {}, root);
  if (types.includes("names") || (types.includes("array") && items.type === "string")) return "list";
  // What is not drawn in another way is written.
  return types.includes("string") || types.length === 0 ? "text" : "yaml";
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

/** A value as it stands in the field; empty where there is none. */
export function fieldText(kind: FieldKind, value: unknown): string {
  if (kind === "list" && Array.isArray(value)) return value.map(asText).join(", ");
  return typeof value === "object" && value !== null ? JSON.stringify(value) : asText(value);
}

/** What is wrong with a text in such a field; null where it is right. */
export function fieldProblem(field: SettingField, text: string): string | null {
  if (text.trim() === "") return field.isRequired ? `${field.label} is missing.` : null;
  if (field.kind === "number") return numberProblem(field.label, Number(text), field.isWhole, field.schema);
  if (field.kind !== "yaml") return null;
  try {
    parse(text);
    return null;
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0] : undefined;
    return `${field.label} is no YAML: ${why ?? "it cannot be read"}`;
  }
}

/** The value that is sent, of a text that is right; null where nothing was put in. */
export function fieldValue(field: SettingField, text: string): unknown {
  const trimmed = field.kind === "secret" ? text : text.trim();
  if (trimmed === "") return null;
  switch (field.kind) {
    case "number":
      return Number(trimmed);
    case "flag":
      return trimmed === "true";
    case "choice":
      return field.choices.find((choice) => asText(choice) === trimmed) ?? trimmed;
    case "list":
      return trimmed.split(",").flatMap((part) => part.trim() || []);
    case "yaml":
      return fieldProblem(field, trimmed) === null ? parse(trimmed) : trimmed;
    default:
      return trimmed;
  }
}
