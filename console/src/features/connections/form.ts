// What the form of a connection holds, how it is checked, and what is sent of it.
import { z } from "@/lib/z";
import type { Connection, ConnectionDraft } from "@/api/connections";
import { fieldProblem, fieldText, fieldValue, type SettingField, settingFields } from "@/lib/setting-fields";

export type Direction = Connection["direction"];

export interface Values {
  name: string;
  direction: Direction;
  folder: string;
  settings: Record<string, string>;
}

/** What stands in the place of a secret that is kept. */
const SEALED = "encrypted_value";
/** Shown first and in this order; all else that may be left out is advanced. */
const USUAL = [
  "host",
  "port",
  "database",
  "username",
  "password",
  "path",
  "bucket",
  "prefix",
  "access_key",
  "secret_key",
];
/** These say where a server is, and are asked for although a connector may know a usual one. */
const ASKED = ["host", "database", "username"];
const NOT_IN_NAMES = /[./:"$#]/;

export interface Fields {
  usual: SettingField[];
  advanced: SettingField[];
}

export function fieldsOf(settings: unknown): Fields {
  const fields = settingFields(settings).map((field) => {
    if (field.isRequired || !ASKED.includes(field.key)) return field;
    // What is said of leaving it out does not count here.
    const help = field.help?.includes("left out") ? null : field.help;
    return { ...field, isRequired: true, help };
  });
  const isUsual = ({ key, isRequired }: SettingField) => isRequired || USUAL.includes(key);
  const place = ({ key }: SettingField) => (USUAL.includes(key) ? USUAL.indexOf(key) : USUAL.length);
  return {
    usual: fields.filter(isUsual).sort((one, other) => place(one) - place(other)),
    advanced: fields.filter((field) => !isUsual(field)),
  };
}

export function allOf({ usual, advanced }: Fields): SettingField[] {
  return [...usual, ...advanced];
}

export function valuesOf(fields: Fields, connection: Connection | null): Values {
  const settings = allOf(fields).map(({ key, kind, fallback }) => {
    if (connection === null) return [key, fallback ?? ""];
    const text = fieldText(kind, connection.config[key]);
    return [key, kind === "secret" && text === SEALED ? "" : text];
  });
  return {
    name: connection?.name ?? "",
    direction: connection?.direction ?? "both",
    folder: connection?.folder ?? "",
    settings: z.record(z.string(), z.string()).parse(Object.fromEntries(settings)),
  };
}

/** Whether a secret is kept already, so that it may be left as it is. */
export function isKept(connection: Connection | null, key: string): boolean {
  return connection?.config[key] === SEALED;
}

export function formSchema(fields: Fields, others: readonly string[]) {
  const settings = z.record(z.string(), z.string()).check(
    z.superRefine((values, context) => {
      for (const field of allOf(fields)) {
        const message = fieldProblem(field, values[field.key] ?? "");
        if (message) context.addIssue({ code: "custom", path: [field.key], message });
      }
    }),
  );
  return z.object({
    name: z.string().check(
      z.trim(),
      z.minLength(1, "Connection name is missing."),
      z.maxLength(100, "A name has at most 100 characters."),
      z.refine((name) => !NOT_IN_NAMES.test(name), 'A name has none of . / : " $ and #.'),
      z.refine((name) => !others.includes(name), "Another connection has this name."),
    ),
    direction: z.enum(["source", "destination", "both"]),
    folder: z.string().check(z.trim()),
    settings,
  });
}

/** What is sent to be tried or kept. */
export function draftOf(
  fields: Fields,
  values: Values,
  type: string,
  connection: Connection | null,
): ConnectionDraft {
  const config: Record<string, unknown> = {};
  for (const field of allOf(fields)) {
    const value = fieldValue(field, values.settings[field.key] ?? "");
    // A secret that is not typed anew stays; what was never set needs no word.
    if (value === null && (field.kind === "secret" || connection === null)) continue;
    config[field.key] = value;
  }
  const { name, direction, folder } = values;
  const own = { name: name.trim(), direction, folder: folder.trim(), config };
  return connection ? { id: connection.id, ...own } : { type, ...own };
}

/** Of what is connected with: a change of it is to be tried again. */
export function signature(fields: Fields, values: Values): string {
  return JSON.stringify(allOf(fields).map((field) => fieldValue(field, values.settings[field.key] ?? "")));
}
