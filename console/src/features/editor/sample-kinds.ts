// Kinds of block as a catalogue announces them, for tests.
import { readKinds } from "./schema";

const names = { anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }] };

export const KINDS = readKinds([
  {
    kind: "extract",
    keyword: "extract",
    label: "Extract",
    description: "Reads.",
    output: "S3_FILE",
    settings: {
      required: ["extract"],
      properties: {
        extract: { "x-reference": "source" },
        where: { type: ["string", "null"], format: "sql" },
      },
    },
  },
  {
    kind: "sql",
    keyword: "sql",
    label: "SQL",
    description: "Joins.",
    input: "S3_FILE",
    output: "S3_FILE",
    settings: { required: ["sql"], properties: { sql: { type: "string", "x-input": "sql", format: "sql" } } },
  },
  {
    kind: "in_database",
    keyword: "sql",
    with: "in",
    label: "SQL in the database",
    description: "Creates a table.",
    input: "DB_TABLE",
    output: "DB_TABLE",
    settings: {
      required: ["sql", "in", "to"],
      properties: { sql: { type: "string", "x-input": "relations" }, in: { "x-connection": true }, to: {} },
    },
  },
  {
    kind: "load",
    keyword: "load",
    label: "Load",
    description: "Writes.",
    input: "S3_FILE",
    settings: {
      required: ["load", "to"],
      properties: { load: { "x-input": "block" }, to: { "x-reference": "target" }, key: names },
    },
  },
  {
    kind: "test",
    keyword: "test",
    label: "Test",
    description: "Checks.",
    input: "S3_FILE",
    settings: {
      required: ["test"],
      properties: {
        test: { "x-input": "block" },
        relationships: { type: "object", additionalProperties: { type: "string", "x-input": "column" } },
        sql: { ...names, "x-input": "sql" },
      },
    },
  },
]);
