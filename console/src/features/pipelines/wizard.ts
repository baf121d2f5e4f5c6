// What the wizard is told, step by step, and the pipeline file that says the same.
import { Document, YAMLMap } from "yaml";

export type Write = "replace" | "append" | "merge";

export interface Picked {
  schema: string;
  name: string;
  columns: string[];
  /** Of its primary key, else what was said. */
  key: string[];
  /** Read only what is new by this column; empty for all of it, every time. */
  cursor: string;
  /** Columns that are left out. */
  left: string[];
}

export interface Wishes {
  source: string;
  /** Where the source has files instead of tables. */
  sourcePath: string;
  tables: Picked[];
  destination: string;
  /** The schema, or the folder where the destination has files. */
  into: string;
  destinationHasFiles: boolean;
  write: Write;
  name: string;
}

export const NOTHING: Wishes = {
  source: "",
  sourcePath: "",
  tables: [],
  destination: "",
  into: "",
  destinationHasFiles: false,
  write: "replace",
  name: "",
};

export const STEPS = ["Source", "Tables", "Destination", "Write mode", "Review"] as const;

/** What is still to be said before the next step; null where nothing is. */
export function missing(wishes: Wishes, step: number): string | null {
  switch (step) {
    case 0:
      return wishes.source === "" ? "Choose where to read from." : null;
    case 1:
      return wishes.tables.length === 0 && wishes.sourcePath === "" ? "Choose at least one table." : null;
    case 2:
      return wishes.destination === "" ? "Choose where to write to." : null;
    case 3: {
      const keyless = wishes.tables.filter(({ key }) => key.length === 0).map(({ name }) => name);
      if (wishes.write === "merge" && keyless.length > 0)
        return `Merging needs a key; these tables have none: ${keyless.join(", ")}. Say one in step 2.`;
      const partial = wishes.tables.filter(({ cursor }) => cursor !== "").map(({ name }) => name);
      if (wishes.write === "replace" && partial.length > 0)
        return `Replacing would keep only what is new of ${partial.join(", ")}: merge or append, or read all of it.`;
      return null;
    }
    default:
      return null;
  }
}

/** The mode that loses and doubles nothing. */
export function fittingWrite({ tables }: Wishes): Write {
  if (tables.every(({ cursor }) => cursor === "")) return "replace";
  return tables.every(({ key }) => key.length > 0) ? "merge" : "append";
}

export function fileOf(wishes: Wishes): string {
  const document = new Document({});
  if (wishes.name !== "") document.set("name", wishes.name);
  const blocks = new YAMLMap(document.schema);
  const taken = new Set<string>();
  const free = (wish: string) => {
    const plain = wish.replaceAll(/[^A-Za-z0-9_]+/g, "_").replace(/^(?=\d)/, "_") || "rows";
    let [name, number] = [plain, 1];
    while (taken.has(name)) name = `${plain}_${(number += 1)}`;
    taken.add(name);
    return name;
  };
  const add = (name: string, settings: Record<string, unknown>) => {
    const block = new YAMLMap(document.schema);
    for (const [key, value] of Object.entries(settings)) {
      const node = document.createNode(value, { flow: true });
      block.set(key, node);
    }
    blocks.set(name, block);
  };
  const files = wishes.sourcePath === "" ? [] : [wishes.sourcePath];
  const sources = [
    ...wishes.tables.map((table) => ({
      table,
      name: table.name,
      place: `${wishes.source}.${table.schema}.${table.name}`,
    })),
    ...files.map((path) => ({
      table: null,
      name: path.split("/").at(-1)?.split(".")[0] ?? "",
      place: wishes.source === "" ? path : `${wishes.source}/${path}`,
    })),
  ];
  for (const { table, name, place } of sources) {
    const extract = free(name);
    const sync = table &&
      table.cursor !== "" && { cursor: table.cursor, ...(table.key.length > 0 && { key: one(table.key) }) };
    add(extract, {
      extract: place,
      ...(sync && { sync }),
      ...(table && table.left.length > 0 && { columns: { exclude: table.left } }),
    });
    add(free(`load_${extract}`), {
      load: extract,
      to: targetOf(wishes, name),
      ...(wishes.write !== "replace" && { write: wishes.write }),
      ...(wishes.write === "merge" && table && { key: one(table.key) }),
    });
  }
  document.set("blocks", blocks);
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

function one(names: string[]): string | string[] | undefined {
  return names.length === 1 ? names[0] : names;
}

function targetOf({ destination, into, destinationHasFiles }: Wishes, name: string): string {
  if (!destinationHasFiles) return [destination, into, name].filter((part) => part !== "").join(".");
  return `${[destination, into.replace(/^\/|\/$/g, ""), name].filter((part) => part !== "").join("/")}.parquet`;
}
