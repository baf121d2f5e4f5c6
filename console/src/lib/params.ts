// The parameters that a pipeline's file or a transformation declares, as the fields of a form.
import { parse } from "yaml";
import { type SettingField, settingFields } from "./setting-fields";
import { z } from "./z";

const declared = z.record(
  z.string(),
  z.object({
    type: z.string(),
    description: z.nullish(z.string()),
    values: z.nullish(z.array(z.unknown())),
    default: z.optional(z.unknown()),
  }),
);
const file = z.object({ params: z.unknown() });

const EXAMPLES: Record<string, string> = {
  date: "A date such as 2026-11-22.",
  timestamp: "A time such as 2026-11-22T04:00:00Z.",
};
/** What JSON has no word for is sent as text. */
const TYPES = ["integer", "number", "boolean"];

/** What the file says; undefined where it cannot be read, for its problems are told elsewhere. */
export function paramsInFile(text: string): unknown {
  return file.safeParse(read(text)).data?.params;
}

/** In the order in which they are declared. */
export function paramFields(params: unknown): SettingField[] {
  const found = declared.safeParse(params);
  return found.success ? fieldsOf(Object.entries(found.data)) : [];
}

function fieldsOf(params: [string, z.infer<typeof declared>[string]][]): SettingField[] {
  const properties = params.map(([name, { type, description, values, default: fallback }]) => {
    const help = description ?? EXAMPLES[type];
    const schema = {
      title: name,
      type: TYPES.includes(type) ? type : "string",
      ...(help !== undefined && { description: help }),
      ...(values && { enum: values }),
      ...(fallback !== undefined && { default: fallback }),
    };
    return [name, schema] as const;
  });
  const required = params.flatMap(([name, param]) => (param.default === undefined ? name : []));
  return settingFields({ type: "object", properties: Object.fromEntries(properties), required });
}

function read(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return null;
  }
}
