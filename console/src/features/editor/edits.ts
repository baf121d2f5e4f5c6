// Changes of a pipeline's text that a canvas and a form make: only what is meant changes, comments stay.
import { type Document, isMap, isScalar, YAMLMap } from "yaml";
import { plain } from "@/lib/json-schema";
import type { Block } from "./graph";
import { isRecord, names } from "./graph";
import type { Kind } from "./schema";
import { readsOnly, renameTable, withTable } from "./sql-names";
import { changed, nodeOf, type Path, setIn } from "./yaml-nodes";

function blocksOf(document: Document): YAMLMap {
  const found = document.get("blocks");
  if (!isMap(found)) {
    setIn(document, ["blocks"], {}, 1);
    return blocksOf(document);
  }
  // `blocks: {}` grows line by line.
  if (found.items.length === 0) found.flow = false;
  return found;
}

export function addBlock(text: string, id: string, settings: Record<string, unknown>): string {
  return changed(text, (document) => {
    const block = new YAMLMap(document.schema);
    for (const [key, value] of Object.entries(settings)) block.set(key, nodeOf(document, value));
    blocksOf(document).set(id, block);
  });
}

export function removeBlock(text: string, id: string): string {
  return changed(text, (document) => setIn(document, ["blocks", id], undefined, 2));
}

/** Sets one value of a block, or takes it out where it is undefined; what is empty then goes as well. */
export function setSetting(text: string, id: string, path: Path, value: unknown): string {
  return changed(text, (document) => setIn(document, ["blocks", id, ...path], value, 3));
}

/** Sets a key beside the blocks. */
export function setKey(text: string, key: string, value: unknown): string {
  return changed(text, (document) => setIn(document, [key], value, 1));
}

/** Why a block cannot be called so; null where it can. */
export function nameRefusal(name: string, blocks: readonly Block[], own: string | null): string | null {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    return "A block’s name holds letters, digits and _, and does not begin with a digit.";
  if (name !== own && blocks.some(({ id }) => id === name)) return `There is a block “${name}” already.`;
  return null;
}

/** A name for a new block: `sql`, `sql_2`, ... */
export function freeName(blocks: readonly Block[], wish: string): string {
  const plainWish = wish.replaceAll(/[^A-Za-z0-9_]+/g, "_").replace(/^(?=\d)/, "_") || "block";
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? plainWish : `${plainWish}_${number}`;
    if (!blocks.some(({ id }) => id === name)) return name;
  }
}

/** Calls a block otherwise, there and wherever others name it. */
export function renameBlock(text: string, blocks: readonly Block[], id: string, name: string): string {
  return changed(text, (document) => {
    const pair = blocksOf(document).items.find(({ key }) => isScalar(key) && key.value === id);
    if (isScalar(pair?.key)) {
      pair.key.value = name;
      delete pair.key.source;
    }
    for (const block of blocks) {
      const own = block.id === id ? name : block.id;
      const after = names(block.settings["after"]);
      if (after.includes(id)) {
        const next = after.map((other) => (other === id ? name : other));
        setIn(document, ["blocks", own, "after"], next.length === 1 ? next[0] : next, 3);
      }
      for (const [key, value] of Object.entries(block.settings)) {
        const next = renamedIn(block.kind, key, value, id, name);
        if (next !== undefined) setIn(document, ["blocks", own, key], next, 3);
      }
    }
  });
}

function renamedIn(kind: Kind | null, key: string, value: unknown, from: string, to: string): unknown {
  const schema = kind?.schema.properties?.[key];
  if (!kind || !schema) return undefined;
  const at = plain(schema, kind.schema);
  if (at["x-input"] === "block") return value === from ? to : undefined;
  if (at["x-input"] === "sql" || at["x-input"] === "relations") {
    const next = names(value).map((sql) => renameTable(sql, from, to));
    if (next.join("\n") === names(value).join("\n")) return undefined;
    return Array.isArray(value) ? next : next[0];
  }
  const inner = at.additionalProperties && plain(at.additionalProperties, kind.schema);
  if (inner?.["x-input"] !== "column" || !isRecord(value)) return undefined;
  const entries = Object.entries(value).map(([column, place]) => {
    const isMeant = typeof place === "string" && place.startsWith(`${from}.`);
    return [column, isMeant ? `${to}${place.slice(from.length)}` : place];
  });
  const next: unknown = Object.fromEntries(entries);
  return JSON.stringify(next) === JSON.stringify(value) ? undefined : next;
}

/** The setting by which a block takes what comes in. */
function inputKey(kind: Kind): { key: string; by: string } | null {
  const found = Object.entries(kind.schema.properties ?? {}).flatMap(([key, schema]) => {
    const by = plain(schema, kind.schema)["x-input"];
    return by && by !== "column" ? [{ key, by }] : [];
  });
  return found.find(({ key }) => key === kind.keyword) ?? found[0] ?? null;
}

/** Lets one block read another. */
export function connect(text: string, source: string, target: Block): string {
  const input = target.kind && inputKey(target.kind);
  if (!input) return text;
  if (input.by === "block") return setSetting(text, target.id, [input.key], source);
  const sql = names(target.settings[input.key])[0] ?? "";
  return setSetting(text, target.id, [input.key], withTable(sql, source, input.by === "relations"));
}

/** Lets one block no longer read another, or tells why only somebody who knows the query can. */
export function disconnect(
  text: string,
  source: string,
  target: Block,
): { text: string } | { refusal: string } {
  const after = names(target.settings["after"]);
  let next = text;
  if (after.includes(source)) {
    const rest = after.filter((name) => name !== source);
    next = setSetting(next, target.id, ["after"], rest.length > 1 ? rest : rest[0]);
  }
  const input = target.kind && inputKey(target.kind);
  const value = input ? target.settings[input.key] : undefined;
  if (input?.by === "block" && value === source) next = setSetting(next, target.id, [input.key], "");
  else if (input && input.by !== "block" && readsOnly(names(value)[0] ?? "", source))
    next = setSetting(next, target.id, [input.key], "");
  if (next !== text) return { text: next };
  return {
    refusal: `The SQL of “${target.id}” names “${source}”: take it out of the query, then the join is gone.`,
  };
}

/** The three-line form with its two blocks written out. */
export function writtenOut(text: string, blocks: readonly Block[]): string {
  return changed(text, (document) => {
    const keys = new Set(["from", "to", ...blocks.flatMap(({ settings }) => Object.keys(settings))]);
    for (const key of keys) setIn(document, [key], undefined, 1);
    const map = blocksOf(document);
    for (const { id, settings } of blocks) {
      const block = new YAMLMap(document.schema);
      for (const [key, value] of Object.entries(settings)) block.set(key, nodeOf(document, value));
      map.set(id, block);
    }
  });
}
