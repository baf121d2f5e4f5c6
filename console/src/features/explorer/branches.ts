// The tree as lines: connections, schemas of the one that is open, tables of the schema that is open.
import type { Connection } from "@/api/connections";
import type { TableItem } from "@/api/discovery";

export type Branch =
  | { kind: "connection"; id: string; level: 1; label: string; type: string; isOpen: boolean }
  | { kind: "schema"; id: string; level: 2; label: string; tables: number | null; isOpen: boolean }
  | { kind: "table"; id: string; level: 3; label: string; table: TableItem }
  /** What stands in the place of what is on its way, or is not there. */
  | { kind: "note"; id: string; level: 2 | 3; label: string };

interface Known {
  connections: readonly Pick<Connection, "id" | "name" | "type">[];
  /** The id of the connection that is open. */
  connection: string | undefined;
  /** The schema that is open; all that have tables like this, where it is searched. */
  schema: string | undefined;
  search: string;
  schemas: readonly { name: string; tables: number }[] | null;
  tables: readonly TableItem[] | null;
  /** Whether the connection was ever looked at. */
  isFound: boolean;
}

export function branchesOf(known: Known): Branch[] {
  return known.connections.flatMap((connection): Branch[] => {
    const isOpen = connection.id === known.connection;
    const { id, name: label, type } = connection;
    const branch: Branch = { kind: "connection", id: `c ${id}`, level: 1, label, type, isOpen };
    return isOpen ? [branch, ...below(known)] : [branch];
  });
}

function below({ search, schema, schemas, tables, isFound }: Known): Branch[] {
  const note = (label: string, level: 2 | 3): Branch => ({ kind: "note", id: `note ${label}`, level, label });
  if (!isFound) return [note("Not looked at yet", 2)];
  if (search !== "") {
    if (tables === null) return [note("Searching…", 2)];
    return tables.length === 0 ? [note("No table has this in its name", 2)] : grouped(tables);
  }
  if (schemas === null) return [note("Loading…", 2)];
  if (schemas.length === 0) return [note("There is nothing in it", 2)];
  return schemas.flatMap(({ name, tables: count }): Branch[] => {
    const isOpen = name === schema;
    const branch: Branch = { kind: "schema", id: `s ${name}`, level: 2, label: name, tables: count, isOpen };
    if (!isOpen) return [branch];
    return [branch, ...(tables === null ? [note("Loading…", 3)] : tables.map(leaf))];
  });
}

/** Tables come by schema and name: each schema stands over its own. */
function grouped(tables: readonly TableItem[]): Branch[] {
  let last: string | null = null;
  return tables.flatMap((table): Branch[] => {
    if (table.schema === last) return [leaf(table)];
    last = table.schema;
    const { schema: label } = table;
    return [{ kind: "schema", id: `s ${label}`, level: 2, label, tables: null, isOpen: true }, leaf(table)];
  });
}

function leaf(table: TableItem): Branch {
  return { kind: "table", id: `t ${table.schema} ${table.name}`, level: 3, label: table.name, table };
}
