// How a transformation is written elsewhere.
import type { Transformation } from "@/api/transformations";
import type { Written } from "@/components/thing-menu";
import { command } from "@/lib/command";

export function transformationWritten(transformation: Transformation): Written {
  const { id, name, description, sql_body, materialization, connection, schema_name } = transformation;
  const { unique_key, cursor, tests, params } = transformation;
  const body = {
    name,
    ...(description && { description }),
    connection,
    schema_name,
    materialization,
    ...(unique_key.length > 0 && { unique_key }),
    ...(cursor && { cursor }),
    ...(Object.keys(tests).length > 0 && { tests }),
    ...(Object.keys(params).length > 0 && { params }),
    sql_body,
  };
  return {
    id,
    yaml: async () => (await import("yaml")).stringify({ transformation: body }, { collectionStyle: "any" }),
    about: "Transformations have no files of their own: this is to be read.",
    command: command("flowetl", "transformation", "run", name),
    call: { method: "POST", path: "/transformations", body },
  };
}
