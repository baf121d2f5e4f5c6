// A YAML text changed at one place: whatever is not meant stays, with its comments, its order and the way it is written.
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  Scalar,
  type ScalarTag,
  type Tags,
  visit,
  YAMLMap,
} from "yaml";
import { isRecord } from "./graph";

export type Path = readonly (string | number)[];

/** Numbers that nobody touched are written as they were: `1e3`, and more digits than a number here holds. */
function exactNumbers(tags: Tags): Tags {
  return tags.map((tag) => {
    if (typeof tag !== "object" || !/:(int|float)$/.test(tag.tag) || tag.collection) return tag;
    const exact: ScalarTag = {
      ...tag,
      stringify: (item, ...rest) => item.source ?? tag.stringify?.(item, ...rest) ?? String(item.value),
    };
    return exact;
  });
}

/** The text after a change; the same text where it cannot be read. */
export function changed(text: string, change: (document: Document) => void): string {
  const document: Document = parseDocument(text, { customTags: exactNumbers });
  if (document.errors.length > 0 || (document.contents !== null && !isMap(document.contents))) return text;
  change(document);
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** A value as a person would write it: long texts as blocks of lines, small lists and maps in one line. */
export function nodeOf(document: Document, value: unknown): Node {
  const made = document.createNode(value);
  visit(made, {
    Scalar: (_, scalar) => styled(scalar),
    Collection: (_, collection) => {
      if (collection === made || JSON.stringify(collection).length < 80) collection.flow = true;
    },
  });
  return made;
}

function styled(scalar: Scalar): void {
  const isLong = typeof scalar.value === "string" && scalar.value.includes("\n");
  if (isLong) scalar.type = Scalar.BLOCK_LITERAL;
  else if (scalar.type === Scalar.BLOCK_LITERAL || scalar.type === Scalar.BLOCK_FOLDED)
    scalar.type = Scalar.PLAIN;
}

/** Puts a value there, or takes out what is there where it is undefined; maps that are empty then go as well, down to `least` steps. */
export function setIn(document: Document, path: Path, value: unknown, least: number): void {
  writeApart(document, path);
  if (value === undefined) {
    if (!document.hasIn(path)) return;
    document.deleteIn(path);
    const above = path.slice(0, -1);
    const rest = document.getIn(above);
    if (above.length >= least && isMap(rest) && rest.items.length === 0)
      setIn(document, above, undefined, least);
    return;
  }
  for (let length = 1; length < path.length; length += 1) {
    const above = path.slice(0, length);
    if (!isMap(document.getIn(above))) document.setIn(above, new YAMLMap(document.schema));
  }
  const before = document.getIn(path, true);
  const node = adapted(document, before, value);
  if (node !== before) document.setIn(path, node);
}

/** What was there, made to be the value: as much of it as can stay does. */
function adapted(document: Document, before: unknown, value: unknown): Node {
  if (isScalar(before) && !isRecord(value) && !Array.isArray(value)) return rewritten(before, value);
  if (isMap(before) && isRecord(value)) {
    const pairs = [...before.items];
    before.items = Object.entries(value).map(([key, part]): Pair => {
      const pair = pairs.find((pair) => isScalar(pair.key) && String(pair.key.value) === key);
      if (!pair) return document.createPair(key, nodeOf(document, part));
      pair.value = adapted(document, pair.value, part);
      return pair;
    });
    return before;
  }
  if (isSeq(before) && Array.isArray(value)) {
    const items = [...before.items];
    before.items = value.map((part: unknown): unknown => {
      const at = items.findIndex((item) => isSame(document, item, part));
      return at < 0 ? nodeOf(document, part) : items.splice(at, 1)[0];
    });
    return before;
  }
  const made = nodeOf(document, value);
  if (isNode(before)) Object.assign(made, remarks(before));
  return made;
}

function rewritten(scalar: Scalar, value: unknown): Scalar {
  if (scalar.value === value) return scalar;
  // What was empty, or ended with a space while somebody typed, has its quotes only for that.
  if (typeof scalar.value === "string" && /^$|^\s|\s$/.test(scalar.value)) delete scalar.type;
  scalar.value = value;
  delete scalar.source;
  delete scalar.tag;
  delete scalar.format;
  delete scalar.minFractionDigits;
  styled(scalar);
  return scalar;
}

function isSame(document: Document, node: unknown, value: unknown): boolean {
  return isNode(node) && JSON.stringify(node.toJS(document)) === JSON.stringify(value);
}

/** Comments around a value, which outlive it. */
function remarks({ comment, commentBefore, spaceBefore }: Node): Partial<Node> {
  return {
    ...(typeof comment === "string" && { comment }),
    ...(typeof commentBefore === "string" && { commentBefore }),
    ...(spaceBefore === true && { spaceBefore }),
  };
}

/** What stands once for several places (`&name`, `*name`) is written out at each that the change would reach or rob. */
function writeApart(document: Document, path: Path): void {
  const touched = new Set<string>();
  for (let length = 1; length <= path.length; length += 1) {
    const above = path.slice(0, length);
    const node = document.getIn(above, true);
    if (isAlias(node)) {
      const copy = copied(node.resolve(document));
      if (copy) document.setIn(above, copy);
    } else if (isCollection(node) && node.anchor !== undefined) touched.add(node.anchor);
  }
  const last = document.getIn(path, true);
  if (isNode(last))
    visit(last, {
      Value: (_, { anchor }) => {
        if (anchor !== undefined) touched.add(anchor);
      },
    });
  if (touched.size === 0) return;
  visit(document, {
    Alias: (_, alias) =>
      touched.has(alias.source) ? (copied(alias.resolve(document)) ?? undefined) : undefined,
  });
}

/** A node without the names by which others call it. */
function copied(node: Node | undefined): Node | null {
  if (!node) return null;
  const copy = node.clone();
  if (!isNode(copy)) return null;
  visit(copy, {
    Value: (_, inner) => {
      delete inner.anchor;
    },
  });
  return copy;
}
