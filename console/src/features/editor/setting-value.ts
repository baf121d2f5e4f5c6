// Values of settings as they stand in a field, read back from it, and what is wrong with them.
import { parse, stringify } from "yaml";
import { asText } from "@/lib/as-text";
import { isSecret, numberProblem, plain, type Schema } from "@/lib/json-schema";

/** Whether it takes values without parts, such as texts and numbers. */
function isScalar({ type, properties, additionalProperties, items }: Schema): boolean {
  return (
    type !== "object" &&
    type !== "array" &&
    type !== "names" &&
    !properties &&
    !additionalProperties &&
    !items
  );
}

/** What a list's items are, where it is one that is written in one line; null where it is none. */
export function listItems(at: Schema, root: Schema): Schema | null {
  if (at.type === "names") return { type: "string" };
  if (at.type !== "array" || !at.items) return null;
  const items = plain(at.items, root);
  // Names, or lists of names: those lists are rare, and the YAML has them.
  if (items.type === "names") return { type: "string" };
  return isScalar(items) ? items : null;
}

/** Whether a value can stand in one line, its parts between commas. */
export function isList(value: unknown): boolean {
  const parts: readonly unknown[] = Array.isArray(value) ? value : [value ?? ""];
  return parts.every((part) => typeof part !== "object" && !/,|^\s|\s$/.test(asText(part)));
}

/** Whether all of a map's values can stand in a line each. */
export function isTable(value: unknown, inner: Schema, root: Schema): boolean {
  const isOfLists = listItems(inner, root) !== null;
  if (!isOfLists && !isScalar(inner)) return false;
  if (value === undefined || value === null || value === "") return true;
  if (typeof value !== "object" || Array.isArray(value)) return false;
  return Object.values(value).every((part) => (isOfLists ? isList(part) : typeof part !== "object"));
}

/** A part as text; where a type is not said, a text that would be read as something else has its quotes. */
export function partText(value: unknown, { type }: Schema): string {
  if (typeof value !== "string") return value === undefined ? "" : JSON.stringify(value);
  return type === undefined && value !== "" && read(value) !== value ? JSON.stringify(value) : value;
}

export function readPart(text: string, { type }: Schema): unknown {
  switch (type) {
    case "string":
      return text;
    case "number":
    case "integer":
      return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
    case "boolean":
      return { true: true, false: false }[text] ?? text;
    default:
      return read(text);
  }
}

function read(text: string): unknown {
  try {
    const value: unknown = parse(text);
    return typeof value === "object" ? text : value;
  } catch {
    return text;
  }
}

export function listText(value: unknown, items: Schema): string {
  const parts: readonly unknown[] = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return parts.map((part) => partText(part, items)).join(", ");
}

export function readList(text: string, items: Schema): unknown[] {
  const parts = text.split(",").map((part) => part.trim());
  return parts.flatMap((part) => (part === "" ? [] : [readPart(part, items)]));
}

/** Any value in one line of YAML. */
export function yamlText(value: unknown): string {
  if (typeof value !== "object" || value === null) return partText(value, {});
  return stringify(value, { collectionStyle: "flow", flowCollectionPadding: false, lineWidth: 0 }).trimEnd();
}

/** What can be seen to be wrong with a value at a glance; the service says the rest. */
export function valueProblem(label: string, at: Schema, value: unknown, isRequired: boolean): string | null {
  if (value === undefined || value === null || value === "")
    return isRequired ? `${label} is missing.` : null;
  if (isSecret(at))
    return typeof value === "string" && /^\$\{(env|file):[^}]+\}$/.test(value)
      ? null
      : "A file holds no secrets: name where it is, such as ${env:TOKEN}.";
  if (at.enum && !at.enum.includes(value)) return `${label} is one of ${at.enum.map(asText).join(", ")}.`;
  if (at.type === "boolean" && typeof value !== "boolean") return `${label} is true or false.`;
  if (at.type === "number" || at.type === "integer")
    return numberProblem(label, typeof value === "number" ? value : NaN, at.type === "integer", at);
  const isMap = typeof value === "object" && !Array.isArray(value);
  if (at.type === "object" && !isMap) return `${label} is a map: {name: value}.`;
  if (at.type === "array" && !Array.isArray(value)) return `${label} is a list: [one, two].`;
  return null;
}
