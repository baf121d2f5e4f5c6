// A transformation as it is shown: what becomes of its rows, and its tests by column.
import { z } from "@/lib/z";
import type { Materialization } from "@/api/transformations";

export const MATERIALIZATIONS: readonly { value: Materialization; label: string; help: string }[] = [
  { value: "view", label: "View", help: "Only the query is kept, and runs whenever the view is read." },
  { value: "table", label: "Table", help: "All its rows, made anew by each run." },
  {
    value: "incremental",
    label: "Incremental",
    help: "Each run adds what is new and changes what is there already, by its key.",
  },
  {
    value: "ephemeral",
    label: "Ephemeral",
    help: "Makes nothing: its SQL stands in those that refer to it.",
  },
];

export function materializationLabel(value: Materialization): string {
  return MATERIALIZATIONS.find((one) => one.value === value)?.label ?? value;
}

/** What is tested of one column. */
export interface ColumnTests {
  column: string;
  isUnique: boolean;
  isNotNull: boolean;
  /** Between commas; empty where any value may stand there. */
  accepted: string;
  /** `transformation.column`; empty where it refers to nothing. */
  reference: string;
}

type Tests = Record<string, unknown>;

const names = z.catch(z.array(z.union([z.string(), z.array(z.string())])), []);
const values = z.catch(z.record(z.string(), z.array(z.unknown())), {});
const references = z.catch(z.record(z.string(), z.string()), {});

/** A line for each column that is tested or known; combinations of columns stand with the rest. */
export function columnTests(tests: Tests, known: readonly string[]): ColumnTests[] {
  const unique = single(tests["unique"]);
  const notNull = single(tests["not_null"]);
  const accepted = values.parse(tests["accepted_values"]);
  const related = references.parse(tests["relationships"]);
  const columns = new Set([
    ...known,
    ...unique,
    ...notNull,
    ...Object.keys(accepted),
    ...Object.keys(related),
  ]);
  return [...columns].map((column) => ({
    column,
    isUnique: unique.includes(column),
    isNotNull: notNull.includes(column),
    accepted: (accepted[column] ?? []).map(valueText).join(", "),
    reference: related[column] ?? "",
  }));
}

/** The tests with one column's changed; what is not about single columns stays. */
export function withColumn(tests: Tests, changed: ColumnTests): Tests {
  const { column, isUnique, isNotNull, accepted, reference } = changed;
  const put = (list: unknown, isIn: boolean) => {
    const all = names.parse(list);
    if (isIn) return all.includes(column) ? all : [...all, column];
    return all.filter((one) => one !== column);
  };
  const parts = accepted
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map(readValue);
  return cleaned({
    ...tests,
    unique: put(tests["unique"], isUnique),
    not_null: put(tests["not_null"], isNotNull),
    accepted_values: entry(values.parse(tests["accepted_values"]), column, parts.length > 0 ? parts : null),
    relationships: entry(references.parse(tests["relationships"]), column, reference.trim() || null),
  });
}

/** The tests with one setting changed; null takes it out. */
export function withTest(tests: Tests, key: string, value: unknown): Tests {
  return cleaned({ ...tests, [key]: value });
}

/** How many checks there are. */
export function countTests(tests: Tests): number {
  const { sql } = tests;
  return (
    names.parse(tests["unique"]).length +
    names.parse(tests["not_null"]).length +
    Object.keys(values.parse(tests["accepted_values"])).length +
    Object.keys(references.parse(tests["relationships"])).length +
    (tests["rows"] ? 1 : 0) +
    (Array.isArray(sql) ? sql.length : sql ? 1 : 0)
  );
}

function single(list: unknown): string[] {
  return names.parse(list).filter((one) => typeof one === "string");
}

function entry<T>(map: Record<string, T>, key: string, value: T | null): Record<string, T> {
  if (value !== null) return { ...map, [key]: value };
  return Object.fromEntries(Object.entries(map).filter(([name]) => name !== key));
}

function cleaned(tests: Tests): Tests {
  const isEmpty = (value: unknown) =>
    value === null || value === "" || (typeof value === "object" && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(tests).filter(([, value]) => !isEmpty(value)));
}

/** A text that would be read as something else has its quotes. */
function valueText(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value);
  return readValue(value) === value ? value : JSON.stringify(value);
}

function readValue(text: string): unknown {
  if (!/^(-?\d+(\.\d+)?|true|false|null|".*")$/.test(text)) return text;
  try {
    const read: unknown = JSON.parse(text);
    return read;
  } catch {
    return text;
  }
}
