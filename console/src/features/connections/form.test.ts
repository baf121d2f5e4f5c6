// Which fields come first, what is wrong with them, and what is sent.
import { expect, test } from "vitest";
import type { Connection } from "@/api/connections";
import { draftOf, fieldsOf, formSchema, signature, valuesOf } from "./form";

const fields = fieldsOf({
  properties: {
    database: { type: "string" },
    host: { type: "string" },
    password: { type: "string", writeOnly: true },
    port: { type: "integer", default: 5432, minimum: 1, maximum: 65535 },
    sslmode: { type: "string", enum: ["disable", "require"] },
  },
});

const kept: Connection = {
  id: "1",
  _id: "1",
  name: "shop",
  type: "postgres",
  db_type: "postgres",
  direction: "both",
  is_source: true,
  config: { host: "db", port: 5433, database: "shop", password: "encrypted_value", sslmode: "require" },
  created_at: "2026-03-01T12:00:00Z",
  updated_at: "2026-03-01T12:00:00Z",
};

test("fields come in the usual order, the rest is advanced", () => {
  expect(fields.usual.map(({ key }) => key)).toEqual(["host", "port", "database", "password"]);
  expect(fields.advanced.map(({ key }) => key)).toEqual(["sslmode"]);
});

test("a new one has the usual values and sends what is put in", () => {
  const values = valuesOf(fields, null);
  expect(values.settings).toEqual({ host: "", port: "5432", database: "", password: "", sslmode: "" });
  const filled = {
    ...values,
    name: " shop ",
    settings: { ...values.settings, host: "db", database: "shop" },
  };
  expect(draftOf(fields, filled, "postgres", null)).toEqual({
    type: "postgres",
    name: "shop",
    direction: "both",
    folder: "",
    config: { host: "db", port: 5432, database: "shop" },
  });
});

test("a secret is never shown, and stays where it is not typed anew", () => {
  const values = valuesOf(fields, kept);
  expect(values.settings["password"]).toBe("");
  const draft = draftOf(
    fields,
    { ...values, settings: { ...values.settings, sslmode: "" } },
    "postgres",
    kept,
  );
  expect(draft.config).toEqual({ host: "db", port: 5433, database: "shop", sslmode: null });
  expect(draft.id).toBe("1");
});

test("only what is connected with is tried again", () => {
  const values = valuesOf(fields, kept);
  expect(signature(fields, { ...values, name: "other", folder: "eu" })).toBe(signature(fields, values));
  const typed = { ...values, settings: { ...values.settings, password: "new" } };
  expect(signature(fields, typed)).not.toBe(signature(fields, values));
});

test("names are one's own, and can stand in a file", () => {
  const schema = formSchema(fields, ["lake"]);
  const values = valuesOf(fields, kept);
  expect(schema.safeParse(values).success).toBe(true);
  for (const name of ["", "lake", "a.b", "a/b"])
    expect(schema.safeParse({ ...values, name }).success).toBe(false);
  const wrong = schema.safeParse({ ...values, settings: { ...values.settings, port: "0" } });
  expect(wrong.error?.issues.map(({ path }) => path)).toEqual([["settings", "port"]]);
});
