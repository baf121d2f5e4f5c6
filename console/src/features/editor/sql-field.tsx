// A query, completed from the blocks above, their columns, and the tables of a connection.
import { PostgreSQL, sql } from "@codemirror/lang-sql";
import { useQueries, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { connectionsQuery } from "@/api/connections";
import { tableDetailQuery, tableSearchQuery } from "@/api/discovery";
import type { FieldControl } from "@/components/ui/field";
import { z } from "@/lib/z";
import { CodeEditor } from "@/components/code-editor";
import { below } from "./graph";
import { readPlace } from "./place";
import type { SettingFieldProps } from "./setting-field";

export function SqlField({
  schema,
  value,
  path,
  block,
  editing,
  isReadOnly,
  isRequired,
}: SettingFieldProps & { control: FieldControl }) {
  const completions = useCompletions({ editing, block });
  const language = useMemo(
    () => sql({ dialect: PostgreSQL, schema: completions, upperCaseKeywords: false }),
    [completions],
  );
  const isCondition = schema["x-input"] === undefined;
  return (
    <CodeEditor
      key={block.id}
      label={`SQL of ${block.id}: ${String(path.at(-1))}`}
      value={typeof value === "string" ? value : ""}
      onChange={(text) => editing.set(block.id, path, text === "" && !isRequired ? undefined : text)}
      language={language}
      isReadOnly={isReadOnly}
      hint={isCondition ? "total >= 0" : "select … from …"}
      className={isCondition ? "h-20" : "h-56"}
    />
  );
}

/** Tables by name with their columns, as far as they are known. */
export function useCompletions({
  editing,
  block,
}: Pick<SettingFieldProps, "editing" | "block">): Record<string, string[]> {
  const { graph } = editing;
  const { data: connections } = useQuery(connectionsQuery);
  const behind = below(graph, block.id);
  const upstream = graph.blocks.filter(
    ({ id, kind }) => id !== block.id && !behind.has(id) && kind?.output === block.kind?.input,
  );
  const own = typeof block.settings["in"] === "string" ? block.settings["in"] : "";
  const idOf = (name: string) => connections?.find((connection) => connection.name === name)?.id;
  const ownId = idOf(own);
  const { data: tables } = useQuery({ ...tableSearchQuery(ownId ?? "", ""), enabled: ownId !== undefined });
  // An extract's own condition speaks of its columns; a query of those of the blocks above.
  const places = [block, ...upstream].map(({ id, settings }) => ({
    id,
    place: readPlace(settings["extract"]),
  }));
  const found = useQueries({
    queries: places.map(({ place }) => {
      const connection = idOf(place.connection) ?? "";
      return {
        ...tableDetailQuery(connection, place.schema, place.table),
        enabled: connection !== "" && place.schema !== "",
      };
    }),
  });
  const namespace: Record<string, string[]> = {};
  for (const { id } of upstream) namespace[id] = [];
  for (const [index, { id }] of places.entries()) {
    const columns = found[index]?.data?.columns.map(({ name }) => name);
    if (columns) namespace[id] = columns;
  }
  for (const { schema, name } of tables?.tables ?? []) namespace[`${schema}.${name}`] = [];
  const said = JSON.stringify(namespace);
  // The same words are the same completions, whatever asked for them.
  return useMemo(() => readNamespace(said), [said]);
}

function readNamespace(said: string): Record<string, string[]> {
  return z.record(z.string(), z.array(z.string())).parse(JSON.parse(said));
}
