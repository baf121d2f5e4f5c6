// Fields as connectors announce them.
import { expect, test } from "vitest";
import { fieldProblem, fieldText, fieldValue, settingFields } from "./setting-fields";

const fields = settingFields({
  type: "object",
  required: ["type", "bucket"],
  properties: {
    type: { const: "x" },
    bucket: { type: "string", description: "The `bucket`." },
    port: { type: ["integer", "null"], minimum: 1, maximum: 65535, default: 5432 },
    password: { type: ["string", "null"], writeOnly: true },
    sslmode: { type: ["string", "null"], enum: ["disable", "prefer"] },
    allow_http: { type: ["boolean", "string"] },
  },
});
const field = (key: string) => {
  const found = fields.find((field) => field.key === key);
  if (!found) throw new Error(key);
  return found;
};

test("each property is a field of its kind", () => {
  expect(fields.map(({ key, kind, isRequired }) => [key, kind, isRequired])).toEqual([
    ["bucket", "text", true],
    ["port", "number", false],
    ["password", "secret", false],
    ["sslmode", "choice", false],
    ["allow_http", "flag", false],
  ]);
  expect(field("bucket").help).toBe("The bucket.");
  expect(field("port").fallback).toBe("5432");
});

test("what is typed is checked and sent as its type", () => {
  expect(fieldProblem(field("bucket"), " ")).toBe("Bucket is missing.");
  expect(fieldProblem(field("port"), "70000")).toBe("Port is between 1 and 65535.");
  expect(fieldProblem(field("port"), "1.5")).toBe("Port is a whole number.");
  expect(fieldProblem(field("port"), "")).toBeNull();
  expect(fieldValue(field("port"), " 5432 ")).toBe(5432);
  expect(fieldValue(field("allow_http"), "true")).toBe(true);
  expect(fieldValue(field("password"), " a ")).toBe(" a ");
  expect(fieldValue(field("sslmode"), "")).toBeNull();
});

test("whatever a schema holds has a field, and what is written in it is sent as it is meant", () => {
  const strange = settingFields({
    properties: {
      scopes: { type: "array", items: { type: "string" } },
      headers: { type: "object", additionalProperties: { type: "string" } },
      region: { $ref: "#/$defs/Region" },
      level: { enum: [1, 2] },
      odd: { type: 5, enum: "no list" },
      limits: { type: "array", items: { type: "object" } },
    },
    $defs: {
      Region: { oneOf: [{ const: "eu", description: "Europe" }, { const: "us" }] },
    },
  });
  const of = (key: string) => strange.find((field) => field.key === key) ?? field(key);
  expect(strange.map(({ key, kind }) => [key, kind])).toEqual([
    ["scopes", "list"],
    ["headers", "yaml"],
    ["region", "choice"],
    ["level", "choice"],
    ["odd", "text"],
    ["limits", "yaml"],
  ]);
  expect(fieldValue(of("scopes"), "read, write,")).toEqual(["read", "write"]);
  expect(fieldText("list", ["read", "write"])).toBe("read, write");
  expect(fieldValue(of("headers"), "{a: b}")).toEqual({ a: "b" });
  expect(fieldText("yaml", { a: "b" })).toBe('{"a":"b"}');
  expect(fieldProblem(of("headers"), "{a: ")).toMatch(/^Headers is no YAML: /);
  expect(of("region").choices).toEqual(["eu", "us"]);
  expect(fieldValue(of("level"), "2")).toBe(2);
});
