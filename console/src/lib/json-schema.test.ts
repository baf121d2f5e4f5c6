// Fields as connectors announce them.
import { expect, test } from "vitest";
import { fieldProblem, fieldValue, settingFields } from "./json-schema";

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
