// A map of names and values: a row for each.
import { Plus, X } from "lucide-react";
import { useId, useState } from "react";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/input";
import type { Schema } from "@/lib/json-schema";
import { isRecord } from "./graph";
import type { Path } from "./yaml-nodes";
import { listItems, listText, partText, readList, readPart } from "./setting-value";
import { useCompletions } from "./sql-field";
import type { Block } from "./graph";
import { written } from "./sql-names";
import type { Editing } from "./use-draft";

interface TableFieldProps {
  editing: Editing;
  block: Block;
  path: Path;
  label: string;
  /** What its values are. */
  inner: Schema;
  value: unknown;
  isReadOnly: boolean;
}

interface Row {
  name: string;
  text: string;
}

export function TableField(props: TableFieldProps) {
  return props.inner.format === "rule" ? <Rules {...props} /> : <Rows {...props} />;
}

/** Columns of a target, each with the column or the expression that it holds. */
function Rules(props: TableFieldProps) {
  const list = useId();
  const input = props.block.settings[props.block.kind?.keyword ?? ""];
  const columns = useCompletions(props)[typeof input === "string" ? input : ""] ?? [];
  return (
    <>
      <Rows {...props} list={list} />
      <datalist id={list}>
        {columns.map((column) => (
          <option key={column} value={written(column)} />
        ))}
      </datalist>
    </>
  );
}

function Rows({
  editing,
  block,
  path,
  label,
  inner,
  value,
  isReadOnly,
  list,
}: TableFieldProps & { list?: string }) {
  const items = listItems(inner, block.kind?.schema ?? {});
  const kept = Object.entries(isRecord(value) ? value : {}).map(([name, part]) => ({
    name,
    text: items ? listText(part, items) : partText(part, inner),
  }));
  const [typed, setTyped] = useState<Row[] | null>(null);
  const rows = typed ?? kept;
  const put = (next: Row[]) => {
    setTyped(next);
    const entries = next
      .filter(({ name }) => name !== "")
      .map(({ name, text }) => [name, items ? readList(text, items) : readPart(text, inner)]);
    editing.set(block.id, path, entries.length === 0 ? undefined : Object.fromEntries(entries));
  };
  const change = (index: number, part: Partial<Row>) =>
    put(rows.map((row, at) => (at === index ? { ...row, ...part } : row)));
  return (
    // What was typed is settled once the focus leaves all of it.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      role="group"
      aria-label={label}
      className="flex flex-col gap-1.5"
      onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && setTyped(null)}
    >
      {rows.map((row, index) => (
        <div key={index} className="flex gap-1.5">
          <Input
            aria-label={`Name ${index + 1}`}
            placeholder="name"
            value={row.name}
            readOnly={isReadOnly}
            onChange={(event) => change(index, { name: event.target.value })}
          />
          <Input
            aria-label={`Value ${index + 1}`}
            placeholder={items ? "one, two" : list ? "column or SQL" : "value"}
            list={list}
            className={list && "font-mono"}
            value={row.text}
            readOnly={isReadOnly}
            onChange={(event) => change(index, { text: event.target.value })}
          />
          {!isReadOnly && (
            <Button
              size="icon"
              variant="ghost"
              aria-label={`Remove row ${index + 1}`}
              onClick={() => put(rows.filter((_, at) => at !== index))}
            >
              <X aria-hidden />
            </Button>
          )}
        </div>
      ))}
      {!isReadOnly && (
        <Button size="sm" className="self-start" onClick={() => setTyped([...rows, { name: "", text: "" }])}>
          <Plus aria-hidden /> Add
        </Button>
      )}
    </div>
  );
}
