// A connection as it stands in a pipeline file, and as the command line makes it. Secrets are references.
import type { Connection } from "@/api/connections";
import type { Written } from "@/components/thing-menu";
import { asText } from "@/lib/as-text";
import { quoted } from "@/lib/command";

const SEALED = "encrypted_value";

function reference(connection: Connection, key: string): string {
  const name = `${connection.name}_${key}`.toUpperCase().replaceAll(/[^A-Z0-9]+/g, "_");
  return `\${env:${name}}`;
}

function shown(connection: Connection): [string, unknown][] {
  return Object.entries(connection.config).map(([key, value]) => [
    key,
    value === SEALED ? reference(connection, key) : value,
  ]);
}

/** YAML takes JSON's texts wherever its own plain ones might mean something else. */
function scalar(value: unknown): string {
  return typeof value === "string" &&
    /^[A-Za-z_][\w-]*$/.test(value) &&
    !/^(true|false|null|yes|no|on|off)$/i.test(value)
    ? value
    : JSON.stringify(value);
}

/** How a connection is written elsewhere. */
export function written(connection: Connection): Written {
  return {
    id: connection.id,
    yaml: () => asYaml(connection),
    about: "For connections.yml or a pipeline file; secrets are references.",
    command: asCommand(connection),
    call: { method: "GET", path: `/connections/${connection.id}` },
  };
}

export function asYaml(connection: Connection): string {
  const settings = [["type", connection.type] as const, ...shown(connection)];
  const lines = settings.map(([key, value]) => `    ${key}: ${scalar(value)}`);
  return `connections:\n  ${scalar(connection.name)}:\n${lines.join("\n")}\n`;
}

export function asCommand(connection: Connection): string {
  const config = Object.fromEntries(shown(connection));
  const text = (key: string) => asText(config[key]);
  const used = ["host", "port", "database", "username", "password", "path", "bucket", "prefix"];
  const rest = Object.entries(config).filter(([key, value]) => !used.includes(key) && value !== null);
  const options = rest.map(
    ([key, value]) => `${key}=${isReference(value) ? asText(value) : encodeURIComponent(asText(value))}`,
  );
  const password = text("password") ? `:${text("password")}` : "";
  const person = text("username") ? `${encodeURIComponent(text("username"))}${password}@` : "";
  const port = text("port") ? `:${text("port")}` : "";
  const path = [text("database"), text("path"), text("prefix")].find((part) => part !== "") ?? "";
  const place = `${person}${text("host") || text("bucket")}${port}`;
  const slash = path === "" || path.startsWith("/") ? "" : place ? "/" : "";
  const url = `${connection.type}://${place}${slash}${path}${options.length > 0 ? `?${options.join("&")}` : ""}`;
  const folder = connection.folder ? ` --folder ${quoted(connection.folder)}` : "";
  const direction = connection.direction === "both" ? "" : ` --direction ${connection.direction}`;
  return `flowetl connection add ${quoted(connection.name)} ${quoted(url)}${direction}${folder}`;
}

function isReference(value: unknown): boolean {
  return typeof value === "string" && value.startsWith("${");
}
