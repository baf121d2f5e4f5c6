// Where a block reads or writes: a connection and a table of it found by search, or files by their path.
import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";
import { catalogueQuery, connectorOf } from "@/api/catalogue";
import { connectionsQuery } from "@/api/connections";
import { tableSearchQuery, useLookAt } from "@/api/discovery";
import { Button } from "@/components/ui/button";
import { Combobox } from "@/components/ui/combobox";
import type { FieldControl } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { isRecord } from "./graph";
import { readPlace, tablePlace } from "./place";
import type { SettingFieldProps } from "./setting-field";

type PlaceProps = SettingFieldProps & { control: FieldControl };

export function ConnectionField({ value, path, block, editing, isReadOnly, control }: PlaceProps) {
  const { data: connections = [] } = useQuery(connectionsQuery);
  const now = typeof value === "string" ? value : "";
  const known = connections.map(({ name }) => ({ value: name, label: name }));
  const own = now !== "" && !known.some(({ value }) => value === now) ? [{ value: now, label: now }] : [];
  return (
    <Select
      {...control}
      className="w-full"
      value={now}
      disabled={isReadOnly}
      choices={[{ value: "", label: "Choose a connection…" }, ...own, ...known]}
      onChange={(name) => editing.set(block.id, path, name)}
    />
  );
}

export function ReferenceField(props: PlaceProps & { purpose: "source" | "target" }) {
  const { value, path, block, editing, isReadOnly, control, purpose } = props;
  const { data: connections = [] } = useQuery(connectionsQuery);
  const { data: catalogue } = useQuery(catalogueQuery);
  const within = typeof block.settings["in"] === "string" ? block.settings["in"] : null;
  const text = typeof value === "string" ? value : "";
  const place = within === null ? readPlace(text) : { ...readPlace(`${within}.${text}`), connection: within };
  const connection = connections.find(({ name }) => name === place.connection);
  const hasTables =
    connection && connectorOf(catalogue?.connectors ?? [], connection.type)?.places !== "paths";
  const usable = connections.filter(
    ({ direction }) =>
      direction === "both" || direction === (purpose === "source" ? "source" : "destination"),
  );
  const set = (next: string) => editing.set(block.id, path, next);
  if (isRecord(value))
    return (
      <p className="text-sm">A query against {String(value["connection"])}; it is written in the YAML.</p>
    );
  return (
    <div className="flex flex-col gap-1.5">
      {within === null && usable.length > 0 && (
        <Select
          label="Connection"
          className="w-full"
          value={connection?.name ?? ""}
          disabled={isReadOnly}
          choices={[
            { value: "", label: "A path or URL, without a connection" },
            ...usable.map(({ name, type }) => ({ value: name, label: `${name} · ${type}` })),
          ]}
          onChange={(name) => {
            const next = connections.find((one) => one.name === name);
            const isFiles = next && connectorOf(catalogue?.connectors ?? [], next.type)?.places === "paths";
            set(name === "" ? "" : isFiles ? `${name}/` : `${name}.`);
          }}
        />
      )}
      {connection && hasTables && !isReadOnly && (
        <TablePicker
          connection={connection.id}
          value={place.table === "" ? "" : tablePlace("", place.schema, place.table)}
          onChange={(table) => set(within === null ? `${connection.name}.${table}` : table)}
          isOpenEnded={purpose === "target"}
        />
      )}
      <Input
        {...control}
        className="font-mono text-xs"
        value={text}
        readOnly={isReadOnly}
        placeholder={
          purpose === "source"
            ? "shop.public.orders, lake/raw/*.parquet"
            : "warehouse.raw.orders, lake/out.parquet"
        }
        onChange={(event) => set(event.target.value)}
      />
    </div>
  );
}

interface TablePickerProps {
  /** Its id. */
  connection: string;
  /** `schema.table` */
  value: string;
  onChange: (table: string) => void;
  isOpenEnded: boolean;
}

export function TablePicker({ connection, value, onChange, isOpenEnded }: TablePickerProps) {
  const [search, setSearch] = useState("");
  const asked = useDeferredValue(search);
  const found = useQuery(tableSearchQuery(connection, asked));
  const look = useLookAt();
  const choices = (found.data?.tables ?? []).map(({ schema, name, columns }) => ({
    value: tablePlace("", schema, name),
    label: tablePlace("", schema, name),
    aside: <span className="text-xs">{columns} columns</span>,
  }));
  if (found.isError) {
    return (
      <p className="flex flex-wrap items-center gap-2 text-xs text-muted-foreground">
        Its tables are not known yet.
        <Button size="sm" isBusy={look.isPending} onClick={() => look.mutate(connection)}>
          Look now
        </Button>
      </p>
    );
  }
  return (
    <Combobox
      label="Table"
      className="w-full"
      value={value}
      choices={choices}
      onSearch={setSearch}
      onChange={onChange}
      isOpenEnded={isOpenEnded}
      placeholder="Choose a table…"
    />
  );
}
