// Which tables a query names, found well enough to draw while somebody types; the service says it to the point.

interface Name {
  /** As SQL reads it. */
  name: string;
  start: number;
  end: number;
}

const TOKEN =
  /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|\{\{\s*ref\s*\(\s*(['"])([^'"]*)\1\s*\)\s*\}\}|"((?:[^"]|"")*)"|[A-Za-z_][A-Za-z0-9_$]*|[^\s]/g;
/** A comma after one of these no longer parts tables. */
const ENDS = new Set([
  "where", "group", "order", "having", "limit", "union", "select", "on", "using", "window", "except", "intersect",
]); // prettier-ignore

interface Token extends Name {
  sort: "word" | "quoted" | "ref" | "sign";
}

function tokens(sql: string): Token[] {
  return [...sql.matchAll(TOKEN)].flatMap((match): Token[] => {
    const [text] = match;
    const at = { start: match.index, end: match.index + text.length };
    if (match[2] !== undefined) return [{ ...at, name: match[2], sort: "ref" }];
    if (match[3] !== undefined) return [{ ...at, name: match[3].replaceAll('""', '"'), sort: "quoted" }];
    if (text.startsWith("--") || text.startsWith("/*")) return [];
    const isWord = /^[A-Za-z_]/.test(text);
    return [{ ...at, name: isWord ? text.toLowerCase() : text, sort: isWord ? "word" : "sign" }];
  });
}

/** Tables behind `from` and `join` without a schema before them, and `{{ ref('...') }}`. */
export function tablesOf(sql: string): Name[] {
  const found: Name[] = [];
  let [isAwaited, isList] = [false, false];
  const all = tokens(sql);
  for (const [index, token] of all.entries()) {
    const next = all[index + 1]?.name;
    if (token.sort === "ref") {
      found.push(token);
      isAwaited = false;
    } else if (token.sort === "word" && (token.name === "from" || token.name === "join")) {
      [isAwaited, isList] = [true, true];
    } else if (token.sort === "sign") {
      isAwaited = token.name === "," && isList;
      if (token.name === "(" || token.name === ")") isList = token.name === ")";
    } else if (token.sort === "word" && ENDS.has(token.name)) {
      [isAwaited, isList] = [false, token.name === "on" || token.name === "using" ? isList : false];
    } else if (isAwaited) {
      if (next !== "." && next !== "(" && token.name !== "lateral") found.push(token);
      isAwaited = false;
    }
  }
  return found;
}

/** The query with one table called otherwise, where it is read and where its columns are. */
export function renameTable(sql: string, from: string, to: string): string {
  const read = new Set(
    tablesOf(sql)
      .filter(({ name }) => name === from)
      .map(({ start }) => start),
  );
  if (read.size === 0) return sql;
  const all = tokens(sql);
  const isAliased = all.some(({ start }, index) => {
    const [next, after] = [all[index + 1], all[index + 2]];
    const alias = next?.name === "as" ? after : next;
    return read.has(start) && alias?.sort === "word" && alias.name === from;
  });
  let changed = sql;
  for (const [index, token] of [...all.entries()].reverse()) {
    const isColumn =
      !isAliased &&
      token.name === from &&
      (token.sort === "word" || token.sort === "quoted") &&
      all[index + 1]?.name === "." &&
      all[index - 1]?.name !== ".";
    if (!read.has(token.start) && !isColumn) continue;
    const text = token.sort === "ref" ? `{{ ref('${to}') }}` : written(to);
    changed = changed.slice(0, token.start) + text + changed.slice(token.end);
  }
  return changed;
}

/** A name as a query has to write it. */
export function written(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** The query with one more table; what joins the two is left for somebody to say. */
export function withTable(sql: string, name: string, isRef: boolean): string {
  const table = isRef ? `{{ ref('${name}') }}` : written(name);
  const bare = sql.trim();
  if (bare === "") return `select * from ${table}`;
  const found = tablesOf(sql);
  const last = found.at(-1);
  if (!last) return /\bfrom\s*$/i.test(bare) ? `${bare} ${table}` : `${bare}\nfrom ${table}`;
  const rest = tokens(sql).filter(({ start }) => start >= last.end);
  const end = rest.find(
    ({ name: word, sort }) =>
      (sort === "word" && ENDS.has(word) && word !== "on" && word !== "using") || word === ")",
  );
  const at = end?.start ?? sql.trimEnd().length;
  const [before, behind] = [sql.slice(0, at).trimEnd(), sql.slice(at).trim()];
  return `${before}\njoin ${table} on true -- say here how the rows belong together\n${behind}`.trimEnd();
}

/** Whether a query does nothing but read one table, so that without it nothing is left. */
export function readsOnly(sql: string, name: string): boolean {
  const words = tokens(sql.trim()).map(({ name: word }) => word);
  return words.join(" ") === `select * from ${name}`;
}
