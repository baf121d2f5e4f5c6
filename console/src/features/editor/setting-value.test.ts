// What stands in fields, what is read from them, and what is told to be wrong at once.
import { expect, test } from "vitest";
import { plain, readSchema, type Schema } from "@/lib/json-schema";
import { beginnings, readKinds } from "./schema";
import {
  isList,
  isTable,
  listItems,
  listText,
  partText,
  readList,
  readPart,
  valueProblem,
  yamlText,
} from "./setting-value";

const TEXT: Schema = { type: "string" };
const at = (schema: unknown) => plain(readSchema(schema), {});

test("a part is read back as what it was, whatever its type is", () => {
  for (const value of ["plain", "3", "true", "null", "a: b", "", "[x", 3, 0.5, true]) {
    expect(readPart(partText(value, {}), {})).toBe(value);
    if (typeof value === "string") expect(readPart(partText(value, TEXT), TEXT)).toBe(value);
  }
  expect(readPart("1.5", { type: "number" })).toBe(1.5);
  expect(readPart("x", { type: "number" })).toBe("x");
  expect(yamlText({ a: ["b c", 1] })).toBe("{a: [b c, 1]}");
});

test("lists and maps whose parts fit in a line have a field, others are written", () => {
  const numbers = at({ type: "array", items: { type: "integer" } });
  expect(listItems(numbers, {})).toEqual({ type: "integer" });
  expect(readList("1, 2,", { type: "integer" })).toEqual([1, 2]);
  expect(listText([1, 2], { type: "integer" })).toBe("1, 2");
  expect(listItems(at({ type: "array", items: { type: "object" } }), {})).toBeNull();
  expect([isList(["a", "b"]), isList(["a, b"]), isList([["a"]])]).toEqual([true, false, false]);
  expect(isTable({ a: "b, c" }, TEXT, {})).toBe(true);
  expect(isTable({ a: { deep: 1 } }, {}, {})).toBe(false);
  expect(isTable(undefined, at({ type: "object", properties: {} }), {})).toBe(false);
});

test("what is missing or wrong is told by the name of its field", () => {
  const problem = (schema: unknown, value: unknown, isRequired = false) =>
    valueProblem("It", at(schema), value, isRequired);
  expect(problem(TEXT, "", true)).toBe("It is missing.");
  expect(problem(TEXT, undefined)).toBeNull();
  expect(problem({ type: "integer", minimum: 1 }, 0)).toBe("It is at least 1.");
  expect(problem({ type: ["integer", "null"] }, "x")).toBe("It is a whole number.");
  expect(problem({ oneOf: [{ const: "a" }, { const: 2 }] }, "b")).toBe("It is one of a, 2.");
  expect(problem({ type: "boolean" }, "maybe")).toBe("It is true or false.");
  expect(problem({ type: "array", items: TEXT }, "x")).toBe("It is a list: [one, two].");
  expect(problem({ type: "string", writeOnly: true }, "hunter2")).toContain("holds no secrets");
  expect(problem({ type: "string", writeOnly: true }, "${env:TOKEN}")).toBeNull();
  expect(problem({ anyOf: [{ type: "string" }, { type: "object" }] }, { a: 1 })).toBeNull();
});

test("what a schema says in a way that is not known stands for anything", () => {
  const schema = readSchema({
    required: ["call", "size", "how"],
    properties: {
      call: { type: "string" },
      size: { type: "integer" },
      how: { enum: ["a"] },
      odd: { type: 7, items: "nothing" },
      any: true,
      itself: { $ref: "#/$defs/itself" },
    },
    $defs: { itself: { $ref: "#/$defs/itself" } },
  });
  expect(Object.keys(schema.properties ?? {})).toEqual(["call", "size", "how", "odd", "any", "itself"]);
  expect(plain(schema.properties?.["itself"] ?? {}, schema)).toEqual({});
  const [kind] = readKinds([
    { kind: "call", keyword: "call", label: "Call", description: "", settings: schema },
  ]);
  expect(kind && beginnings(kind)).toEqual({ call: "" });
});
