// The wizard's tables: found by search among many, and for each how it is read.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Radar } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { lookQuery, tableDetailQuery, tableSearchQuery, useLookAt } from "@/api/discovery";
import { ProblemAlert } from "@/components/problem-state";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input, SearchInput } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { EmptyState } from "@/components/ui/states";
import { Checkbox } from "@/components/ui/toggle";
import { plural } from "@/lib/format";
import type { Picked } from "./wizard";
import type { StepProps } from "./wizard-steps";

export function TablesStep({ wishes, put, connections, hasFiles }: StepProps & { hasFiles: boolean }) {
  const connection = connections.find(({ name }) => name === wishes.source);
  if (!connection) return null;
  if (hasFiles)
    return (
      <Field label="Path" help="Below the connection’s root; may hold * and **.">
        {(control) => (
          <Input
            {...control}
            className="max-w-md font-mono"
            placeholder="raw/orders/*.parquet"
            value={wishes.sourcePath}
            onChange={(event) => put({ sourcePath: event.target.value })}
          />
        )}
      </Field>
    );
  return (
    <div className="grid gap-6 lg:grid-cols-2">
      <Finder connection={connection.id} tables={wishes.tables} onChange={(tables) => put({ tables })} />
      <div className="flex flex-col gap-3">
        <h3 className="text-sm font-medium">{plural(wishes.tables.length, "table")} chosen</h3>
        {wishes.tables.map((table) => (
          <Chosen
            key={`${table.schema}.${table.name}`}
            table={table}
            onChange={(next) =>
              put({ tables: wishes.tables.map((other) => (other === table ? next : other)) })
            }
          />
        ))}
      </div>
    </div>
  );
}

interface FinderProps {
  connection: string;
  tables: Picked[];
  onChange: (tables: Picked[]) => void;
}

function Finder({ connection, tables, onChange }: FinderProps) {
  const [search, setSearch] = useState("");
  const found = useQuery({
    ...tableSearchQuery(connection, useDeferredValue(search)),
    placeholderData: (before) => before,
  });
  const { data: looking } = useQuery(lookQuery(connection));
  const look = useLookAt();
  const client = useQueryClient();
  const isRunning = looking?.state === "running" || look.isPending;
  const pick = async (schema: string, name: string) => {
    const { columns, primary_key } = await client.query(tableDetailQuery(connection, schema, name));
    const names = columns.map((column) => column.name);
    onChange([...tables, { schema, name, columns: names, key: primary_key, cursor: "", left: [] }]);
  };
  const again = (
    <Button size="sm" isBusy={isRunning} onClick={() => look.mutate(connection)}>
      <Radar aria-hidden /> {found.data ? "Look again" : "Look what is there"}
    </Button>
  );
  return (
    <div className="flex min-w-0 flex-col gap-2">
      <div className="flex items-center gap-2">
        <SearchInput label="Search tables" value={search} onChange={setSearch} className="flex-1" />
        {found.data && again}
      </div>
      <ProblemAlert title="The connection could not be looked at." error={look.error} />
      {looking?.state === "failed" && <p className="text-sm text-danger">{looking.message}</p>}
      {!found.data && !found.isPending && (
        <EmptyState icon={Radar} title="Its tables are not known yet." action={again} />
      )}
      <ul
        aria-label="Tables"
        className="max-h-96 overflow-y-auto rounded-lg border border-border empty:hidden"
      >
        {found.data?.tables.map(({ schema, name, columns }) => {
          const isPicked = tables.some((table) => table.schema === schema && table.name === name);
          return (
            <li
              key={`${schema}.${name}`}
              className="flex min-h-9 items-center gap-2 border-b border-border px-3 py-1 last:border-0"
            >
              <Checkbox
                isOn={isPicked}
                label={`${schema}.${name}`}
                onChange={(isOn) => {
                  if (isOn) void pick(schema, name);
                  else onChange(tables.filter((table) => table.schema !== schema || table.name !== name));
                }}
              />
              <span className="ml-auto text-xs text-muted-foreground">{plural(columns, "column")}</span>
            </li>
          );
        })}
      </ul>
      {found.data?.next && <p className="text-xs text-muted-foreground">There are more: search by name.</p>}
    </div>
  );
}

function Chosen({ table, onChange }: { table: Picked; onChange: (table: Picked) => void }) {
  const { schema, name, columns, cursor, key, left } = table;
  const choices = columns.map((column) => ({ value: column, label: column }));
  return (
    <fieldset className="flex flex-col gap-3 rounded-lg border border-border p-3">
      <legend className="px-1 font-mono text-xs font-medium">
        {schema}.{name}
      </legend>
      <div className="grid gap-3 sm:grid-cols-2">
        <Field label="Read">
          {(control) => (
            <Select
              {...control}
              value={cursor}
              className="w-full"
              choices={[
                { value: "", label: "All of it, every time" },
                ...choices.map(({ value }) => ({ value, label: `New by ${value}` })),
              ]}
              onChange={(next) => onChange({ ...table, cursor: next })}
            />
          )}
        </Field>
        <Field label="Key" help="The columns that name a row.">
          {(control) => (
            <Select
              {...control}
              value={key.length > 1 ? key.join(", ") : (key[0] ?? "")}
              className="w-full"
              choices={[
                { value: "", label: "None" },
                ...(key.length > 1 ? [{ value: key.join(", "), label: key.join(", ") }] : []),
                ...choices,
              ]}
              onChange={(next) => onChange({ ...table, key: next === "" ? [] : next.split(", ") })}
            />
          )}
        </Field>
      </div>
      <details>
        <summary className="min-h-6 cursor-pointer text-sm">
          Columns: {left.length === 0 ? "all" : `all but ${left.join(", ")}`}
        </summary>
        <div className="mt-2 grid gap-1 sm:grid-cols-2">
          {columns.map((column) => (
            <Checkbox
              key={column}
              label={column}
              isOn={!left.includes(column)}
              onChange={(isOn) =>
                onChange({
                  ...table,
                  left: isOn ? left.filter((other) => other !== column) : [...left, column],
                })
              }
            />
          ))}
        </div>
      </details>
    </fieldset>
  );
}
