// A pipeline file as a canvas has it: read from its text, which stays the truth.
import { type Document, isMap, isScalar, LineCounter, parseDocument, type YAMLMap } from "yaml";
import type { ServedGraph } from "@/api/pipeline-checks";
import { plain, type Schema } from "@/lib/json-schema";
import { type Kind, kindOf } from "./schema";
import { tablesOf } from "./sql-names";

export interface Block {
  id: string;
  kind: Kind | null;
  settings: Record<string, unknown>;
}

export interface Join {
  source: string;
  target: string;
  /** What flows; null where it is order alone. */
  port: string | null;
}

export interface Graph {
  blocks: Block[];
  joins: Join[];
}

/** Where a block stands in the text. */
export interface Range {
  id: string;
  start: number;
  end: number;
}

export interface Reading {
  graph: Graph;
  ranges: Range[];
  /** The three-line form, whose blocks have no text of their own. */
  isShort: boolean;
  /** Why it cannot be read. */
  error: { message: string; line: number } | null;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Blocks and where they stand; joins as far as the settings tell at a glance. */
export function readText(text: string, kinds: readonly Kind[]): Reading {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const nothing = { graph: { blocks: [], joins: [] }, ranges: [], isShort: false };
  const [wrong] = document.errors;
  if (wrong) {
    const { line } = lines.linePos(wrong.pos[0]);
    return { ...nothing, error: { message: wrong.message, line } };
  }
  const found = document.get("blocks");
  const isShort = !document.has("blocks") && (document.has("from") || document.has("to"));
  if (!isMap(found)) return { ...nothing, isShort, error: null };
  const settings = valuesOf(found, document);
  if (settings instanceof Error) return { ...nothing, error: { message: settings.message, line: 1 } };
  const ranges: Range[] = [];
  const blocks = found.items.flatMap(({ key, value }): Block[] => {
    if (!isScalar(key)) return [];
    const id = String(key.value);
    const at = isScalar(value) || isMap(value) ? value.range : null;
    ranges.push({ id, start: key.range?.[0] ?? 0, end: at?.[1] ?? key.range?.[1] ?? 0 });
    const own = settings[id];
    const read = isRecord(own) ? own : {};
    return [{ id, kind: kindOf(read, kinds), settings: read }];
  });
  return { graph: { blocks, joins: joinsOf(blocks) }, ranges, isShort, error: null };
}

/** What the blocks are told; an error where they name (`*name`) what there is not, or far too much. */
function valuesOf(blocks: YAMLMap, document: Document): Record<string, unknown> | Error {
  try {
    const values: unknown = blocks.toJS(document);
    return isRecord(values) ? values : {};
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** The graph as the service reads the same text. */
export function servedGraph(served: ServedGraph, kinds: readonly Kind[]): Graph {
  const blocks = served.nodes.map(({ id, kind, settings }) => ({
    id,
    settings: isRecord(settings) ? settings : {},
    kind: kinds.find((known) => known.kind === kind) ?? null,
  }));
  const joins = (served.edges ?? []).map(({ source, target, port }) => ({
    source,
    target,
    port: port ?? null,
  }));
  return { blocks, joins };
}

export function joinsOf(blocks: readonly Block[]): Join[] {
  const known = new Map(blocks.map((block) => [block.id, block]));
  return blocks.flatMap(({ id, kind, settings }) => {
    const reads = kind ? [...new Set(readsOf(kind.schema, settings, kind.schema))] : [];
    const data = reads
      .filter((name) => known.has(name))
      .map((source): Join => ({
        source,
        target: id,
        port: known.get(source)?.kind?.output ?? kind?.input ?? null,
      }));
    const order = names(settings["after"])
      .filter((name) => known.has(name) && !reads.includes(name))
      .map((source): Join => ({ source, target: id, port: null }));
    return [...data, ...order];
  });
}

/** Names of blocks that a value names, by the words of its schema. */
function readsOf(schema: Schema, value: unknown, root: Schema): string[] {
  const at = plain(schema, root);
  const found = ((): string[] => {
    switch (at["x-input"]) {
      case "block":
        return typeof value === "string" ? [value] : [];
      case "column":
        return typeof value === "string" ? [value.split(".")[0] ?? ""] : [];
      case "sql":
      case "relations":
        return names(value).flatMap((sql) => tablesOf(sql).map(({ name }) => name));
      default:
        return [];
    }
  })();
  if (isRecord(value)) {
    for (const [key, part] of Object.entries(value)) {
      const inner = at.properties?.[key] ?? at.additionalProperties;
      if (inner) found.push(...readsOf(inner, part, root));
    }
  }
  return found;
}

/** A name or a list of names. */
export function names(value: unknown): string[] {
  if (typeof value === "string") return value === "" ? [] : [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** The blocks behind one: whatever reads it, and what reads that. */
export function below({ joins }: Graph, id: string): Set<string> {
  const found = new Set<string>();
  const waiting = [id];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const { source, target } of joins) {
      if (source === next && !found.has(target)) {
        found.add(target);
        waiting.push(target);
      }
    }
  }
  return found;
}
