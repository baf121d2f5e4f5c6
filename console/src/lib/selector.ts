// Picks a part of a graph by a few signs: `orders`, `+orders` with all before it, `2+orders+1` with so many steps.

interface Named {
  id: string;
  name: string;
}

interface Line {
  from: string;
  to: string;
}

/**
 * The ids of what `text` picks; null where it is empty, which picks everything.
 *
 * A name is that of one thing; where none is called so, of all whose names contain it. `*` stands for any letters.
 */
export function pick(text: string, things: readonly Named[], lines: readonly Line[]): Set<string> | null {
  const { up, name, down } = read(text.trim());
  if (name === "") return null;
  const start = called(name, things);
  const before = walk(start, lines, "to", "from", up);
  const after = walk(start, lines, "from", "to", down);
  return new Set([...before, ...after]);
}

/** How many steps before and behind it; a `+` without a number is all of them. */
function read(text: string): { up: number; name: string; down: number } {
  const [, first, name = "", last] = /^(?:(\d*)\+)?(.*?)(?:\+(\d*))?$/s.exec(text) ?? [];
  const steps = (found: string | undefined) =>
    found === undefined ? 0 : found === "" ? Infinity : Number(found);
  return { up: steps(first), name: name.trim(), down: steps(last) };
}

function called(name: string, things: readonly Named[]): Set<string> {
  const wanted = name.toLowerCase();
  const ids = (fits: (name: string) => boolean) =>
    new Set(things.filter((thing) => fits(thing.name.toLowerCase())).map(({ id }) => id));
  if (wanted.includes("*")) {
    const parts = wanted.split("*").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
    const pattern = new RegExp(`^${parts.join(".*")}$`, "s");
    return ids((own) => pattern.test(own));
  }
  const exact = ids((own) => own === wanted);
  return exact.size > 0 ? exact : ids((own) => own.includes(wanted));
}

/** Those that are reached from `start` in at most so many steps, `start` among them. */
function walk(
  start: ReadonlySet<string>,
  lines: readonly Line[],
  along: keyof Line,
  towards: keyof Line,
  steps: number,
): Set<string> {
  const next = new Map<string, string[]>();
  for (const line of lines) next.set(line[along], [...(next.get(line[along]) ?? []), line[towards]]);
  const found = new Set(start);
  let front = [...start];
  for (let step = 0; step < steps && front.length > 0; step += 1) {
    const reached = front.flatMap((id) => next.get(id) ?? []);
    front = [...new Set(reached)].filter((id) => !found.has(id));
    for (const id of front) found.add(id);
  }
  return found;
}
