// The parameters that a pipeline's file declares, as the fields of a form.
import { parse } from "yaml";
import { type SettingField, settingFields } from "./setting-fields";
import { z } from "./z";

const file = z.object({
  params: z.record(
    z.string(),
    z.object({
      type: z.string(),
      description: z.nullish(z.string()),
      values: z.nullish(z.array(z.unknown())),
      default: z.optional(z.unknown()),
    }),
  ),
});

const EXAMPLES: Record<string, string> = {
  date: "A date such as 2026-11-22.",
  timestamp: "A time such as 2026-11-22T04:00:00Z.",
};
/** What JSON has no word for is sent as text. */
const TYPES = ["integer", "number", "boolean"];

/** In their order; none where the file cannot be read, for its problems are told elsewhere. */
export function paramFields(text: string): SettingField[] {
  const found = file.safeParse(read(text));
  if (!found.success) return [];
  const params = Object.entries(found.data.params);
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
