// One setting of a block, by what its schema says that it is.
import { Field } from "@/components/ui/field";
import { plain, type Schema } from "@/lib/json-schema";
import type { Block } from "./graph";
import { TableField } from "./map-field";
import { ConnectionField, ReferenceField } from "./place-fields";
import { isTable, valueProblem } from "./setting-value";
import { SqlField } from "./sql-field";
import type { Editing } from "./use-draft";
import { ValueField } from "./value-field";
import type { Path } from "./yaml-nodes";

export interface FormContext {
  editing: Editing;
  block: Block;
  isReadOnly: boolean;
}

export interface SettingFieldProps extends FormContext {
  path: Path;
  schema: Schema;
  value: unknown;
  isRequired: boolean;
}

/** `bad_rows` as `Bad rows`, where the schema has no title. */
export function labelOf(path: Path, { title }: Schema): string {
  const word = String(path.at(-1) ?? "").replaceAll("_", " ");
  return title ?? (word === "sql" ? "SQL" : word.charAt(0).toUpperCase() + word.slice(1));
}

export function SettingField(props: SettingFieldProps) {
  const { schema, path, value, isRequired, editing, block } = props;
  const label = labelOf(path, schema);
  const said = editing.checked?.text === editing.draft.text ? problemOf(props) : undefined;
  const error = said ?? valueProblem(label, schema, value, isRequired) ?? undefined;
  const place = schema["x-reference"];
  const isSql = schema.format === "sql" || schema["x-input"] === "sql" || schema["x-input"] === "relations";
  // A query in a list is rare, and the YAML has it.
  const isOne = typeof value === "string" || value === undefined || value === null;
  const inner = schema.additionalProperties && plain(schema.additionalProperties, block.kind?.schema ?? {});
  const isMap = schema.type === "object" && inner && isTable(value, inner, block.kind?.schema ?? {});
  return (
    <Field
      label={label}
      isOptional={!isRequired}
      help={schema.description?.replaceAll("`", "")}
      error={error}
    >
      {(control) => {
        if (isSql && isOne) return <SqlField {...props} control={control} />;
        if (place === "source" || place === "target")
          return <ReferenceField key={block.id} {...props} control={control} purpose={place} />;
        if (schema["x-connection"]) return <ConnectionField {...props} control={control} />;
        if (isMap) return <TableField key={block.id} {...props} label={label} inner={inner} />;
        return <ValueField key={block.id} {...props} control={control} />;
      }}
    </Field>
  );
}

/** What the service says about exactly this key. */
function problemOf({ editing, block, path }: SettingFieldProps): string | undefined {
  const key = `\`${String(path.at(-1))}\``;
  const found = editing.checked?.problems.find(
    (problem) => problem.block === block.id && problem.message.includes(key) && path.length === 1,
  );
  return found && [found.message, found.hint].filter(Boolean).join("; ").replaceAll("`", "");
}
