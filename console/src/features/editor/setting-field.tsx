// One setting of a block, by what its schema says that it is.
import { useState } from "react";
import { parse } from "yaml";
import { Field, type FieldControl } from "@/components/ui/field";
import { Input, Textarea } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { type Block, names } from "./graph";
import { ConnectionField, ReferenceField } from "./place-fields";
import { refusal } from "./rules";
import type { Path } from "./yaml-nodes";
import type { Schema } from "./schema";
import { SqlField } from "./sql-field";
import { TableField } from "./map-field";
import type { Editing } from "./use-draft";

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

/** `bad_rows` as `Bad rows`. */
export function labelOf(path: Path): string {
  const word = String(path.at(-1) ?? "").replaceAll("_", " ");
  return word === "sql" ? "SQL" : word.charAt(0).toUpperCase() + word.slice(1);
}

export function SettingField(props: SettingFieldProps) {
  const { schema, path, isRequired, editing, block } = props;
  const error = editing.checked?.text === editing.draft.text ? problemOf(props) : undefined;
  const place = schema["x-reference"];
  const isSql = schema.format === "sql" || schema["x-input"] === "sql" || schema["x-input"] === "relations";
  // A query in a list is rare, and the YAML has it.
  const isOne = typeof props.value === "string" || props.value === undefined || props.value === null;
  return (
    <Field
      label={labelOf(path)}
      isOptional={!isRequired}
      help={schema.description?.replaceAll("`", "")}
      error={error}
    >
      {(control) => {
        if (isSql && isOne) return <SqlField {...props} control={control} />;
        if (place === "source" || place === "target")
          return <ReferenceField key={block.id} {...props} control={control} purpose={place} />;
        if (schema["x-connection"]) return <ConnectionField {...props} control={control} />;
        if (schema.type === "object" && schema.additionalProperties)
          return <TableField key={block.id} {...props} />;
        return <Plain {...props} control={control} />;
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

function Plain(props: SettingFieldProps & { control: FieldControl }) {
  const { schema, value, path, block, editing, isReadOnly, isRequired, control } = props;
  const set = (next: unknown) => editing.set(block.id, path, next);
  const empty = isRequired ? "" : undefined;
  const fallback =
    schema.default === undefined || schema.default === null
      ? "not set"
      : JSON.stringify(schema.default).replaceAll('"', "");
  if (schema["x-input"] === "block") {
    const now = typeof value === "string" ? value : "";
    const fitting = editing.graph.blocks.filter(
      ({ id }) => id === now || refusal(editing.graph, id, block.id) === null,
    );
    const choices = [
      { value: "", label: "Choose a block…" },
      ...fitting.map(({ id }) => ({ value: id, label: id })),
    ];
    return (
      <Select
        {...control}
        value={now}
        choices={choices}
        onChange={set}
        disabled={isReadOnly}
        className="w-full"
      />
    );
  }
  if (schema.enum) {
    const choices = schema.enum
      .filter((choice) => typeof choice === "string")
      .map((choice) => ({ value: choice, label: choice }));
    const none = { value: "", label: `(${fallback})` };
    return (
      <Select
        {...control}
        value={typeof value === "string" ? value : ""}
        choices={[none, ...choices]}
        onChange={(next) => set(next === "" ? empty : next)}
        disabled={isReadOnly}
        className="w-full"
      />
    );
  }
  if (schema.type === "boolean") {
    const choices = [
      { value: "", label: `(${fallback})` },
      { value: "true", label: "Yes" },
      { value: "false", label: "No" },
    ];
    return (
      <Select
        {...control}
        value={typeof value === "boolean" ? String(value) : ""}
        choices={choices}
        onChange={(next) => set(next === "" ? undefined : next === "true")}
        disabled={isReadOnly}
        className="w-full"
      />
    );
  }
  const isNames = schema.type === "names" || (schema.type === "array" && schema.items !== undefined);
  if (isNames && isFlat(value)) {
    const put = (text: string) => {
      const parts = text
        .split(",")
        .map((part) => part.trim())
        .filter(Boolean);
      set(parts.length === 0 ? undefined : schema.type === "names" && parts.length === 1 ? parts[0] : parts);
    };
    return (
      <Settling
        {...control}
        value={names(value).join(", ")}
        onChange={put}
        hint="one, two"
        readOnly={isReadOnly}
      />
    );
  }
  if (schema.type === "string") {
    const text =
      typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value);
    return (
      <Input
        {...control}
        value={text}
        readOnly={isReadOnly}
        placeholder={schema.default === undefined || schema.default === null ? undefined : fallback}
        onChange={(event) => set(event.target.value === "" ? empty : event.target.value)}
      />
    );
  }
  return <Anything {...props} control={control} />;
}

function isFlat(value: unknown): boolean {
  return (
    value === undefined ||
    typeof value === "string" ||
    (Array.isArray(value) && value.every((item) => typeof item === "string"))
  );
}

interface SettlingProps extends FieldControl {
  value: string;
  onChange: (text: string) => void;
  hint: string;
  readOnly: boolean;
}

/** Takes what is typed when the field is left, where half of it would mean something else. */
export function Settling({ value, onChange, hint, ...rest }: SettlingProps) {
  const [typed, setTyped] = useState<string | null>(null);
  const settle = () => {
    if (typed !== null && typed !== value) onChange(typed);
    setTyped(null);
  };
  return (
    <Input
      {...rest}
      value={typed ?? value}
      placeholder={hint}
      onChange={(event) => setTyped(event.target.value)}
      onBlur={settle}
      onKeyDown={(event) => event.key === "Enter" && settle()}
    />
  );
}

/** What has no field of its own is written as YAML. */
function Anything({
  value,
  path,
  block,
  editing,
  isReadOnly,
  control,
}: SettingFieldProps & { control: FieldControl }) {
  const [typed, setTyped] = useState<string | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const text = value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
  const settle = () => {
    if (typed === null) return;
    try {
      const read: unknown = typed.trim() === "" ? undefined : parse(typed);
      editing.set(block.id, path, read);
      setTyped(null);
      setWrong(null);
    } catch (error) {
      setWrong(error instanceof Error ? (error.message.split("\n")[0] ?? "") : "not readable");
    }
  };
  return (
    <>
      <Textarea
        {...control}
        rows={2}
        className="min-h-9 font-mono text-xs"
        value={typed ?? text}
        readOnly={isReadOnly}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={settle}
      />
      {wrong && <p className="text-xs text-danger">{wrong}</p>}
    </>
  );
}
