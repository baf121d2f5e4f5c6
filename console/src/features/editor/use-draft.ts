// The document that is edited: its text is the truth, and everything that is drawn is read from it.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useReducer, useState } from "react";
import { type Checked, checkQuery, type Layout } from "@/api/pipeline-checks";
import { toast } from "@/components/ui/toast";
import { arrange } from "./arrange";
import {
  addBlock, connect, disconnect, freeName, removeBlock, renameBlock, setKey, setSetting, writtenOut,
} from "./edits"; // prettier-ignore
import { type Block, type Graph, readText, type Reading, servedGraph } from "./graph";
import { begin, type Draft, stepped } from "./history";
import { refusal } from "./rules";
import { beginnings, type Kind } from "./schema";
import type { Path } from "./yaml-nodes";

const CHECK_MS = 350;

export interface Editing {
  draft: Draft;
  reading: Reading;
  graph: Graph;
  /** Where every block stands. */
  spots: Layout;
  kinds: readonly Kind[];
  /** What the service says of this text; of an older one while it is asked. */
  checked: Checked | undefined;
  isChecking: boolean;
  checkError: unknown;
  canUndo: boolean;
  canRedo: boolean;
  undo: () => void;
  redo: () => void;
  begin: (draft: Draft) => void;
  type: (text: string) => void;
  /** Gives the name that the new block got. */
  add: (kind: Kind, spot: { x: number; y: number } | null, from: string | null) => string | null;
  remove: (id: string) => void;
  rename: (id: string, name: string) => void;
  set: (id: string, path: Path, value: unknown) => void;
  setKey: (key: string, value: unknown) => void;
  /** Gives why not, in words; null where it is done. */
  join: (source: string, target: string) => string | null;
  part: (source: string, target: string) => string | null;
  move: (spots: Layout) => void;
}

export function useDraft(name: string, initial: Draft, kinds: readonly Kind[]): Editing {
  const [history, step] = useReducer(stepped, initial, begin);
  const draft = history.now;
  const reading = useMemo(() => readText(draft.text, kinds), [draft.text, kinds]);
  const asked = useSettled(draft.text);
  const check = useQuery({ ...checkQuery(name, asked), placeholderData: (before) => before });
  const checked = check.data;
  const graph = useGraph(reading, checked?.text === draft.text ? checked : undefined, kinds);
  const spots = useMemo(() => arrange(graph, draft.layout), [graph, draft.layout]);

  const change = (about: string, text: string, layout = draft.layout) =>
    step({ kind: "change", draft: { text, layout }, about, at: Date.now() });
  /** The text with its blocks written out; null where it cannot be changed by drawing. */
  const open = (): string | null => {
    if (reading.error) {
      toast("danger", `The YAML cannot be read (line ${reading.error.line}): mend it first, then draw.`);
      return null;
    }
    return reading.isShort ? writtenOut(draft.text, graph.blocks) : draft.text;
  };
  const block = (id: string): Block | undefined => graph.blocks.find((block) => block.id === id);

  return {
    draft,
    reading,
    graph,
    spots,
    kinds,
    checked,
    isChecking: check.isFetching || asked !== draft.text,
    checkError: check.error,
    canUndo: history.past.length > 0,
    canRedo: history.future.length > 0,
    undo: () => step({ kind: "undo" }),
    redo: () => step({ kind: "redo" }),
    begin: (draft) => step({ kind: "begin", draft }),
    type: (text) => change("text", text),
    add: (kind, spot, from) => {
      const text = open();
      if (text === null) return null;
      const id = freeName(graph.blocks, kind.keyword);
      const settings = beginnings(kind);
      let next = addBlock(text, id, settings);
      const made = { id, kind, settings };
      const isJoined =
        from !== null && refusal({ ...graph, blocks: [...graph.blocks, made] }, from, id) === null;
      if (isJoined) next = connect(next, from, made);
      change(`add ${id}`, next, spot ? { ...draft.layout, [id]: spot } : draft.layout);
      return id;
    },
    remove: (id) => {
      const text = open();
      if (text === null) return;
      change(`remove ${id}`, removeBlock(text, id), without(draft.layout, id));
      toast("info", `Block ${id} is removed.`, { label: "Undo", run: () => step({ kind: "undo" }) });
    },
    rename: (id, name) => {
      const text = open();
      if (text === null) return;
      const { [id]: spot, ...layout } = draft.layout;
      change(
        `rename ${id}`,
        renameBlock(text, graph.blocks, id, name),
        spot ? { ...layout, [name]: spot } : layout,
      );
    },
    set: (id, path, value) => {
      const text = open();
      if (text !== null) change(`${id} ${path.join(".")}`, setSetting(text, id, path, value));
    },
    setKey: (key, value) => {
      if (!reading.error) change(`key ${key}`, setKey(draft.text, key, value));
    },
    join: (source, target) => {
      const why = refusal(graph, source, target);
      const to = block(target);
      if (why !== null || !to) return why;
      const text = open();
      if (text !== null) change(`join ${source} ${target}`, connect(text, source, to));
      return null;
    },
    part: (source, target) => {
      const to = block(target);
      const text = to && open();
      if (!to || text === null || text === undefined) return null;
      const parted = disconnect(text, source, to);
      if ("refusal" in parted) return parted.refusal;
      change(`part ${source} ${target}`, parted.text);
      return null;
    },
    move: (spots) => change("move", draft.text, { ...draft.layout, ...spots }),
  };
}

/** The graph of the text, as the service reads it once it has; the last readable one while it is not. */
function useGraph(reading: Reading, checked: Checked | undefined, kinds: readonly Kind[]): Graph {
  const [last, setLast] = useState(reading.graph);
  const served = checked?.graph;
  const now = useMemo(() => {
    if (served) {
      const read = servedGraph(served, kinds);
      // The service draws no settings that are empty or wrong; the text has them.
      return reading.isShort ? read : { blocks: reading.graph.blocks, joins: read.joins };
    }
    return reading.error || reading.isShort ? null : reading.graph;
  }, [served, reading, kinds]);
  if (now && now !== last) setLast(now);
  return now ?? last;
}

/** The text once nobody has typed for a moment. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), CHECK_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

function without(layout: Layout, id: string): Layout {
  return Object.fromEntries(Object.entries(layout).filter(([other]) => other !== id));
}
