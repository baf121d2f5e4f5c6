// A connection as its card shows it, and the ones that a filter leaves.
import type { Connection } from "@/api/connections";
import { asText } from "@/lib/as-text";
import type { Tone } from "@/components/ui/badge";

export type TestStatus = "success" | "failed" | "untested";

export interface Filter {
  q?: string | undefined;
  sort?: string | undefined;
  type?: string | undefined;
  direction?: string | undefined;
  status?: string | undefined;
  folder?: string | undefined;
}

export function statusOf(connection: Connection): TestStatus {
  const status = connection.last_test_status;
  return status === "success" || status === "failed" ? status : "untested";
}

/** A setting as text; empty where it is not set. */
export function setting(connection: Connection, key: string): string {
  return asText(connection.config[key]);
}

/** `host:port`, a path, or a bucket with its prefix. */
export function placeOf(connection: Connection): string {
  const [host, port] = [setting(connection, "host"), setting(connection, "port")];
  if (host) return port ? `${host}:${port}` : host;
  const [bucket, prefix] = [setting(connection, "bucket"), setting(connection, "prefix")];
  if (bucket) return prefix ? `${bucket}/${prefix}` : bucket;
  return setting(connection, "path") || setting(connection, "endpoint");
}

/** MySQL is purple, PostgreSQL grey, the others are tinted. */
export function toneOf(type: string): Tone {
  if (type === "mysql") return "purple";
  return type === "postgres" || type === "postgresql" ? "grey" : "accent";
}

const ORDERS: Record<string, (one: Connection, other: Connection) => number> = {
  name: (one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }),
  tested: (one, other) => (other.last_tested_at ?? "").localeCompare(one.last_tested_at ?? ""),
  updated: (one, other) => other.updated_at.localeCompare(one.updated_at),
};

/** Those that match, in the order that is asked for: by name where nothing is said. */
export function filtered(connections: readonly Connection[], filter: Filter): Connection[] {
  const words = (filter.q ?? "").toLowerCase().split(/\s+/);
  const found = connections.filter((connection) => {
    if (filter.type && connection.type !== filter.type) return false;
    if (filter.direction && connection.direction !== filter.direction) return false;
    if (filter.status && statusOf(connection) !== filter.status) return false;
    if (filter.folder !== undefined && (connection.folder ?? "") !== filter.folder) return false;
    const said = `${connection.name} ${connection.type} ${connection.folder ?? ""} ${Object.values(connection.config).join(" ")}`;
    return words.every((word) => said.toLowerCase().includes(word));
  });
  return found.sort(ORDERS[filter.sort ?? "name"] ?? ORDERS["name"]);
}
