// A place as a pipeline file writes it: `connection.schema.table`, `connection/path`, a path, a URL, or a query.

export interface Place {
  connection: string;
  schema: string;
  table: string;
  /** Behind the connection's name, where files are meant. */
  path: string;
}

/** The parts of a place; empty where it has none. */
export function readPlace(value: unknown): Place {
  const none = { connection: "", schema: "", table: "", path: "" };
  if (typeof value !== "string" || value.includes("://") || value.startsWith("/")) return none;
  const files = /^([A-Za-z_][\w-]*)\/(.*)$/.exec(value);
  if (files) return { ...none, connection: files[1] ?? "", path: files[2] ?? "" };
  const parts = value.split(".");
  const [connection = "", first = "", ...rest] = parts;
  if (parts.length === 1) return { ...none, connection };
  return rest.length === 0
    ? { ...none, connection, table: first }
    : { ...none, connection, schema: first, table: rest.join(".") };
}

export function tablePlace(connection: string, schema: string, table: string): string {
  return [connection, schema, table].filter((part) => part !== "").join(".");
}
