// The fields of settings that are no places and no queries: blocks, choices, numbers, texts, lists, and YAML for the rest.
import { useState } from "react";
import { parse } from "yaml";
import type { FieldControl } from "@/components/ui/field";
import { Input, Textarea } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { asText } from "@/lib/as-text";
import { isSecret } from "@/lib/json-schema";
import { refusal } from "./rules";
import type { SettingFieldProps } from "./setting-field";
import { isList, listItems, listText, partText, readList, readPart, yamlText } from "./setting-value";

type ValueProps = SettingFieldProps & { control: FieldControl };

/** What a text of a checked form looks like. */
const HINTS: Record<string, string> = { duration: "10m", size: "512MB", percent: "0.1%", rows: "> 0" };

export function ValueField(props: ValueProps) {
  const { schema, value, block } = props;
  const items = listItems(schema, block.kind?.schema ?? {});
  if (schema["x-input"] === "block") return <BlockField {...props} />;
  if (schema.enum || schema.type === "boolean") return <ChoiceField {...props} />;
  if (schema.type === "number" || schema.type === "integer") return <NumberField {...props} />;
  if (items && isList(value)) return <ListField {...props} items={items} />;
  if (isSecret(schema)) return <SecretField {...props} />;
  return schema.type === "string" ? <TextField {...props} /> : <YamlField {...props} />;
}

/** Puts a value there; what is left out of one that must be there is an empty text. */
function setter({ editing, block, path, isRequired }: ValueProps) {
  return (next: unknown) =>
    editing.set(block.id, path, next === undefined || next === "" ? (isRequired ? "" : undefined) : next);
}

function fallbackOf({ schema }: ValueProps): string | null {
  const { default: fallback } = schema;
  return fallback === undefined || fallback === null ? null : yamlText(fallback);
}

function BlockField(props: ValueProps) {
  const { value, block, editing, isReadOnly, control } = props;
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
      className="w-full"
      value={now}
      choices={choices}
      onChange={(id) => editing.set(block.id, props.path, id)}
      disabled={isReadOnly}
    />
  );
}

function ChoiceField(props: ValueProps) {
  const { schema, value, isReadOnly, control } = props;
  const all: readonly unknown[] = (schema.enum ?? [true, false]).filter((choice) => choice !== null);
  const words = (choice: unknown) => (typeof choice === "boolean" ? (choice ? "Yes" : "No") : asText(choice));
  const choices = all.map((choice) => ({ value: asText(choice), label: words(choice) }));
  const fallback = fallbackOf(props);
  const set = setter(props);
  return (
    <Select
      {...control}
      className="w-full"
      value={all.includes(value) ? asText(value) : ""}
      choices={[{ value: "", label: `(${fallback ?? "not set"})` }, ...choices]}
      onChange={(next) => set(all.find((choice) => asText(choice) === next))}
      disabled={isReadOnly}
    />
  );
}

/** What is typed is the value at once; half of a number stays in the field as it is. */
function NumberField(props: ValueProps) {
  const { schema, value, isReadOnly, control } = props;
  const [typed, setTyped] = useState<string | null>(null);
  const set = setter(props);
  return (
    <Input
      {...control}
      inputMode={schema.type === "integer" ? "numeric" : "decimal"}
      value={typed ?? partText(value, schema)}
      readOnly={isReadOnly}
      placeholder={fallbackOf(props) ?? undefined}
      onChange={(event) => {
        setTyped(event.target.value);
        set(readPart(event.target.value.trim(), schema));
      }}
      onBlur={() => setTyped(null)}
    />
  );
}

function TextField(props: ValueProps) {
  const { schema, value, isReadOnly, control } = props;
  const set = setter(props);
  return (
    <Input
      {...control}
      value={partText(value ?? undefined, schema)}
      readOnly={isReadOnly}
      placeholder={fallbackOf(props) ?? HINTS[schema.format ?? ""]}
      onChange={(event) => set(event.target.value)}
    />
  );
}

/** A reference to a secret is shown: only a secret that does not belong here is covered. */
function SecretField(props: ValueProps) {
  const { value, isReadOnly, control } = props;
  const text = typeof value === "string" ? value : "";
  const set = setter(props);
  return (
    <Input
      {...control}
      type={"${".startsWith(text.slice(0, 2)) ? "text" : "password"}
      value={text}
      readOnly={isReadOnly}
      autoComplete="off"
      spellCheck={false}
      placeholder="${env:TOKEN}"
      onChange={(event) => set(event.target.value)}
    />
  );
}

/** Takes what is typed when the field is left, where half of it would mean something else. */
function ListField(props: ValueProps & { items: NonNullable<ReturnType<typeof listItems>> }) {
  const { schema, value, items, isReadOnly, control } = props;
  const [typed, setTyped] = useState<string | null>(null);
  const text = value === null || value === "" ? "" : listText(value, items);
  const set = setter(props);
  const settle = () => {
    if (typed !== null && typed !== text) {
      const parts = readList(typed, items);
      set(parts.length === 0 ? undefined : schema.type === "names" && parts.length === 1 ? parts[0] : parts);
    }
    setTyped(null);
  };
  return (
    <Input
      {...control}
      value={typed ?? text}
      readOnly={isReadOnly}
      placeholder={
        fallbackOf(props) ?? (items.type === "integer" || items.type === "number" ? "1, 2" : "one, two")
      }
      onChange={(event) => setTyped(event.target.value)}
      onBlur={settle}
      onKeyDown={(event) => event.key === "Enter" && settle()}
    />
  );
}

/** What has no field of its own is written as YAML. */
export function YamlField(props: ValueProps) {
  const { value, isReadOnly, control } = props;
  const [typed, setTyped] = useState<string | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const set = setter(props);
  const settle = () => {
    if (typed === null) return;
    try {
      const read: unknown = typed.trim() === "" ? undefined : parse(typed);
      set(read);
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
        value={typed ?? (value === null ? "" : yamlText(value))}
        readOnly={isReadOnly}
        spellCheck={false}
        placeholder={fallbackOf(props) ?? "As YAML"}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={settle}
      />
      {wrong && <p className="text-xs text-danger">{wrong}</p>}
    </>
  );
}
