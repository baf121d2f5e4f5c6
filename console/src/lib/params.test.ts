// What a pipeline's file declares becomes fields, and what is put into them is sent in its type.
import { expect, test } from "vitest";
import { paramFields, paramsInFile } from "./params";
import { fieldProblem, fieldValue } from "./setting-fields";

const TEXT = `
params:
  day: {type: date}
  region: {type: string, default: eu, values: [eu, us], description: Where it is sold.}
  rows: {type: integer, default: 10}
  full: {type: boolean}
blocks: {}
`;

test("each parameter is a field of its kind, required where it has no default", () => {
  const fields = paramFields(paramsInFile(TEXT));
  expect(fields.map(({ key, kind, isRequired, fallback }) => [key, kind, isRequired, fallback])).toEqual([
    ["day", "text", true, null],
    ["region", "choice", false, "eu"],
    ["rows", "number", false, "10"],
    ["full", "flag", true, null],
  ]);
  expect(fields[0]?.help).toContain("2026-11-22");
  expect(fields[1]?.help).toBe("Where it is sold.");
  const [day, , rows, full] = fields;
  if (!day || !rows || !full) throw new Error("there are four");
  expect(fieldProblem(day, "")).toBe("day is missing.");
  expect(fieldProblem(rows, "1.5")).not.toBeNull();
  expect(fieldValue(rows, "15")).toBe(15);
  expect(fieldValue(full, "true")).toBe(true);
});

test("a file without parameters, or one that cannot be read, has no fields", () => {
  expect(paramFields(paramsInFile("blocks: {}"))).toEqual([]);
  expect(paramFields(paramsInFile("a: ["))).toEqual([]);
  expect(paramFields(paramsInFile(""))).toEqual([]);
});
