// Generated pipelines, edited at random: the file and the graph say the same, and nothing that was not meant is lost.
import { expect, test } from "vitest";
import { parse } from "yaml";
import {
  addBlock,
  connect,
  disconnect,
  freeName,
  removeBlock,
  renameBlock,
  setKey,
  setSetting,
} from "./edits";
import { type Block, isRecord, joinsOf, readText } from "./graph";
import { begin, type Draft, stepped } from "./history";
import { KINDS } from "./sample-kinds";
import { beginnings } from "./schema";

/** Numbers that look random and are the same every time. */
function dice(seed: number) {
  let state = seed;
  const roll = (sides: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * sides);
  };
  const pick = <T>(items: readonly [T, ...T[]]): T => items[roll(items.length)] ?? items[0];
  return { roll, pick };
}
type Dice = ReturnType<typeof dice>;

const VALUES: [unknown, ...unknown[]] = [
  "plain", "", "null", "3", "yes", "a: b", "# no", "two\nlines", " ends \n", "it's", "- x", "{{ ref('a') }}", "żółć", "'", "\t",
  3, -0.5, true, null, [], ["a", "b, c"], {}, { a: "b", "c d": ["x\ny"] }, { deep: { deeper: { deepest: [1, { two: "2" }] } } },
]; // prettier-ignore

/** Ways to write a value that the editor would write otherwise. */
const WRITTEN: [string, ...string[]] = [
  "'single'", '"double \\u017c"', "plain text", "0x1F", "1.50", "1e3", "12345678901234567890", "0.12345678901234567890",
  "~", "True", "2025-01-01", "[a, 'b',  c]", "{ wide: 1 ,  flow: [x] }", ">-\n      folded\n      text", "|+\n      kept\n\n",
  "\n      # in a list\n      - one # first\n      - two", "\n      key: 1 # in a map\n      'odd key': {}", "!!str 5", "&shared {a: 1, b: [2]}",
]; // prettier-ignore

interface File {
  text: string;
  /** Comments by the block they are about; those of no block under "". */
  comments: Map<string, string[]>;
}

/** A file as somebody might have written it, with keys that the editor knows nothing of. */
function generated({ roll, pick }: Dice): File {
  const comments = new Map<string, string[]>([["", []]]);
  let number = 0;
  const remark = (of: string) => {
    number += 1;
    const words = `# remark ${number}.`;
    comments.set(of, [...(comments.get(of) ?? []), words]);
    return words;
  };
  let text = `${remark("")}\n\nname: made ${remark("")}\nsomething_new: ${pick(WRITTEN)}\nblocks: ${remark("")}\n`;
  const ids = Array.from({ length: 2 + roll(4) }, (_, at) => `b${at}`);
  for (const [at, id] of ids.entries()) {
    const kind = at === 0 ? "extract" : pick(["sql", "load", "test", "in_database", "unknown"]);
    const before = ids[roll(Math.max(1, at))] ?? id;
    const head: Record<string, string> = {
      extract: `extract: shop.public.orders ${remark(id)}\n    where: total > 1`,
      sql: `sql: |\n      select * -- all\n      from ${before} x`,
      load: `load: ${before}\n    to: lake/out.parquet ${remark(id)}\n    key: [id, "day"]`,
      test: `test: ${before}\n    relationships:\n      id: ${before}.id ${remark(id)}`,
      in_database: `sql: "select 1 from {{ ref('${before}') }}"\n    in: shop\n    to: public.big`,
      unknown: `unheard_of: {of: ${before}}`,
    };
    text += `  ${id}: ${remark(id)}\n    ${head[kind] ?? ""}\n`;
    for (let extra = roll(3); extra > 0; extra -= 1) text += `    own_${extra}: ${pick(WRITTEN)}\n`;
    if (text.includes("&shared") && roll(3) === 0) text += "    again: *shared\n";
    if (roll(4) === 0) text += `    after: ${before} ${remark(id)}\n`;
    // The same name may not be given twice, so that there is one to be meant.
    text = once(text);
  }
  text += `${remark("")}\n`;
  for (const [of, remarks] of comments)
    comments.set(
      of,
      remarks.filter((words) => text.includes(words)),
    );
  return { text, comments };
}

function once(text: string): string {
  const [first, ...rest] = text.split("&shared {a: 1, b: [2]}");
  return rest.length === 0 ? text : [first, rest.join("*shared")].join("&shared {a: 1, b: [2]}");
}

const read = (text: string) => readText(text, KINDS);

/** What stands beside the blocks, with its order. */
function around(text: string): string {
  const values: unknown = parse(text);
  return JSON.stringify({ ...(isRecord(values) ? values : {}), blocks: null });
}

type Values = Record<string, Record<string, unknown>>;
const blocksOf = (text: string): Values => {
  const found = read(text);
  expect(found.error, text).toBeNull();
  return Object.fromEntries(found.graph.blocks.map(({ id, settings }) => [id, settings]));
};

interface Edit {
  about: string;
  text: string;
  /** Blocks that it may change. */
  touches: readonly string[];
  /** Blocks whose remarks may go with what they were about. */
  robs?: readonly string[];
}

const KEYS = ["where", "own_1", "own_2", "key", "after", "new key"] as const;

/** Any one edit of those that canvas and forms make. */
function edited({ roll, pick }: Dice, text: string, block: Block, blocks: readonly Block[]): Edit {
  const other = blocks[roll(blocks.length)] ?? block;
  switch (roll(8)) {
    case 0: {
      const kind = pick([KINDS[0], ...KINDS.slice(1)]);
      if (!kind) break;
      const id = freeName(blocks, kind.keyword);
      const settings = { ...beginnings(kind), [pick(KEYS)]: pick(VALUES) };
      return { about: `add ${id}`, text: addBlock(text, id, settings), touches: [id] };
    }
    case 1:
      return {
        about: `remove ${block.id}`,
        text: removeBlock(text, block.id),
        touches: [block.id],
        robs: [block.id],
      };
    case 2: {
      const name = freeName(blocks, `${block.id}_named`);
      return {
        about: `rename ${block.id}`,
        text: renameBlock(text, blocks, block.id, name),
        touches: blocks.map(({ id }) => id).concat(name),
      };
    }
    case 3:
      return {
        about: `join ${other.id} ${block.id}`,
        text: connect(text, other.id, block),
        touches: [block.id],
      };
    case 4: {
      const parted = disconnect(text, other.id, block);
      if ("refusal" in parted) break;
      return {
        about: `part ${other.id} ${block.id}`,
        text: parted.text,
        touches: [block.id],
        robs: [block.id],
      };
    }
    case 5: {
      const path = [pick(["sync", "own_1"]), pick(["cursor", "deep"])];
      return {
        about: path.join("."),
        text: setSetting(text, block.id, path, pick(VALUES)),
        touches: [block.id],
      };
    }
    case 6:
      return {
        about: "unset",
        text: setSetting(text, block.id, [pick(KEYS)], undefined),
        touches: [block.id],
        robs: [block.id],
      };
  }
  const [key, value] = [pick(KEYS), pick(VALUES)];
  const next = setSetting(text, block.id, [key], value);
  expect(blocksOf(next)[block.id]?.[key], text).toEqual(value);
  return { about: `set ${key}`, text: next, touches: [block.id] };
}

test(
  "whatever is edited, all else keeps its values, its order and its comments, and is undone to the letter",
  { timeout: 30_000 },
  () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const die = dice(seed);
      const { text: first, comments } = generated(die);
      let history = begin({ text: first, layout: {} });
      const states: Draft[] = [history.now];
      const lost = new Set<string>();
      for (let step = 0; step < 14; step += 1) {
        const { text } = history.now;
        const { blocks } = read(text).graph;
        const block = blocks[die.roll(blocks.length)];
        if (!block) break;
        const before = blocksOf(text);
        const edit = edited(die, text, block, blocks);
        const why = `seed ${seed}: ${edit.about}\n${text}\n--- became\n${edit.text}`;
        const after = blocksOf(edit.text);
        const rest = (values: Values) => Object.entries(values).filter(([id]) => !edit.touches.includes(id));
        expect(JSON.stringify(rest(after)), why).toBe(JSON.stringify(rest(before)));
        expect(around(edit.text), why).toBe(around(text));
        for (const id of edit.robs ?? []) lost.add(id);
        if (edit.about.startsWith("rename")) {
          const to = Object.keys(after).find((id) => !(id in before)) ?? "";
          comments.set(to, comments.get(block.id) ?? []);
          comments.delete(block.id);
          if (lost.has(block.id)) lost.add(to);
        }
        for (const [of, remarks] of comments)
          if (!lost.has(of)) for (const remark of remarks) expect(edit.text, why).toContain(remark);
        history = stepped(history, {
          kind: "change",
          draft: { text: edit.text, layout: {} },
          about: edit.about,
          at: step * 10_000,
        });
        if (history.now !== states.at(-1)) states.push(history.now);
      }
      for (const state of states.toReversed()) {
        expect(history.now.text).toBe(state.text);
        history = stepped(history, { kind: "undo" });
      }
      expect(history.now.text).toBe(first);
      for (const state of states) {
        expect(history.now.text).toBe(state.text);
        history = stepped(history, { kind: "redo" });
      }
    }
  },
);

test("a number with more digits than one here holds stays as it is written", () => {
  const text = "blocks:\n  one: {sql: select 1, limit: 12345678901234567890, share: 1.50, hex: 0x1F}\n";
  expect(setSetting(text, "one", ["sql"], "select 2")).toBe(text.replace("select 1", "select 2"));
  expect(setSetting(text, "one", ["share"], 2)).toBe(text.replace("1.50", "2"));
});

test("a change where something stands once for several places reaches that one alone", () => {
  const text = "blocks:\n  one: {sync: &s {cursor: a, key: id}}\n  two: {sync: *s}\n";
  const parted = { one: { sync: { cursor: "b", key: "id" } }, two: { sync: { cursor: "a", key: "id" } } };
  expect(blocksOf(setSetting(text, "one", ["sync", "cursor"], "b"))).toEqual(parted);
  const other = blocksOf(setSetting(text, "two", ["sync", "cursor"], "b"));
  expect(other).toEqual({ one: parted.two, two: parted.one });
  expect(blocksOf(removeBlock(text, "one"))).toEqual({ two: parted.two });
  expect(read("blocks:\n  one: {sync: *nobody}\n").error?.message).toContain("nobody");
});

test("what is chosen in a list or a map changes it where it differs", () => {
  const text =
    "blocks:\n  one:\n    test: x\n    not_null:\n      - id # the key\n      - day\n    types:\n      a: int64 # wide\n      b: date32\n";
  const more = setSetting(text, "one", ["not_null"], ["id", "total"]);
  expect(more).toBe(text.replace("day", "total"));
  const other = setSetting(more, "one", ["types"], { a: "int64", b: "utf8" });
  expect(other).toBe(more.replace("date32", "utf8"));
  expect(setKey(other, "freshness", "26h")).toBe(`${other}freshness: 26h\n`);
});

test("a graph that is drawn block by block is read back with its joins", () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const die = dice(seed);
    let text = "# head\nname: x # beside\nblocks: {}\n# foot\n";
    let model: Block[] = [];
    for (let step = 0; step < 12; step += 1) {
      const kind = KINDS[die.roll(KINDS.length)];
      if (!kind) continue;
      const id = freeName(model, kind.keyword);
      const block = { id, kind, settings: { ...beginnings(kind), own: die.pick(VALUES) } };
      text = addBlock(text, id, block.settings);
      model = [...model, block];
      const source = model[die.roll(model.length)];
      if (source && source.id !== id) text = connect(text, source.id, block);
      model = model.map((one) => (one.id === id ? (read(text).graph.blocks.at(-1) ?? one) : one));
    }
    const { graph } = read(text);
    expect(graph).toEqual({ blocks: model, joins: joinsOf(model) });
    for (const comment of ["# head", "# beside", "# foot"]) expect(text).toContain(comment);
  }
});
