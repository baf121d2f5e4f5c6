// Where the blocks of a graph stand: in layers from left to right, each behind all that it takes from.

export interface Link {
  from: string;
  to: string;
}

export interface Place {
  x: number;
  y: number;
  /** 0 for what takes from nothing. */
  layer: number;
}

export const NODE_WIDTH = 224;
export const NODE_HEIGHT = 88;
/** Room for the words on lines. */
const GAP_X = 184;
const GAP_Y = 36;
/** Sweeps that bring blocks near to those they are joined with; the last goes forth, which is how lines are read. */
const SWEEPS = 5;

/** The longest way that leads to each; what goes in a circle is left where it was reached first. */
export function layersOf(ids: readonly string[], links: readonly Link[]): Map<string, number> {
  const before = group(ids, links, "to", "from");
  const layers = new Map<string, number>();
  const under = new Set<string>();
  const visit = (id: string): number => {
    const known = layers.get(id);
    if (known !== undefined) return known;
    if (under.has(id)) return 0;
    under.add(id);
    const layer = Math.max(-1, ...(before.get(id) ?? []).map(visit)) + 1;
    under.delete(id);
    layers.set(id, layer);
    return layer;
  };
  for (const id of ids) visit(id);
  return layers;
}

/** Every block behind those it takes from, otherwise as they came. */
export function topological(ids: readonly string[], links: readonly Link[]): string[] {
  const layers = layersOf(ids, links);
  return [...ids].sort((one, other) => (layers.get(one) ?? 0) - (layers.get(other) ?? 0));
}

/** `gap` lies between layers. */
export function layoutGraph(
  ids: readonly string[],
  links: readonly Link[],
  gap: number = GAP_X,
): Map<string, Place> {
  const layers = layersOf(ids, links);
  const { rows, steps } = rowsOf(ids, links, layers);
  const all = rows.flat();
  const [before, after] = [group(all, steps, "to", "from"), group(all, steps, "from", "to")];
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const isForth = sweep % 2 === 0;
    const order = isForth ? rows : rows.toReversed();
    for (const row of order) sortByNeighbours(row, rows, isForth ? before : after);
  }
  const tallest = Math.max(0, ...rows.map((row) => row.length));
  const places = new Map<string, Place>();
  rows.forEach((row, layer) => {
    const top = ((tallest - row.length) * (NODE_HEIGHT + GAP_Y)) / 2;
    row.forEach((id, index) => {
      if (!layers.has(id)) return;
      places.set(id, { x: layer * (NODE_WIDTH + gap), y: top + index * (NODE_HEIGHT + GAP_Y), layer });
    });
  });
  return places;
}

/** Each layer from above to below. A line over several layers has a place in each, so that no block stands on it. */
function rowsOf(ids: readonly string[], links: readonly Link[], layers: Map<string, number>) {
  const rows: string[][] = [];
  for (const id of ids) (rows[layers.get(id) ?? 0] ??= []).push(id);
  const steps: Link[] = [];
  for (const { from, to } of links) {
    const [first, last] = [layers.get(from), layers.get(to)];
    if (first === undefined || last === undefined) continue;
    let at = from;
    for (let layer = first + 1; layer < last; layer += 1) {
      const passing = `${from}\n${to}\n${layer}`;
      rows[layer]?.push(passing);
      steps.push({ from: at, to: passing });
      at = passing;
    }
    steps.push({ from: at, to });
  }
  return { rows, steps };
}

/** By where those stand on average that each is joined with; others stay where they are. */
function sortByNeighbours(row: string[], rows: string[][], neighbours: Map<string, string[]>): void {
  const at = new Map<string, number>();
  for (const one of rows) one.forEach((id, index) => at.set(id, (index + 0.5) / one.length));
  const weight = new Map(
    row.map((id) => {
      const near = neighbours.get(id) ?? [];
      const sum = near.reduce((all, other) => all + (at.get(other) ?? 0), 0);
      return [id, near.length > 0 ? sum / near.length : (at.get(id) ?? 0)];
    }),
  );
  row.sort((one, other) => (weight.get(one) ?? 0) - (weight.get(other) ?? 0));
}

function group(ids: readonly string[], links: readonly Link[], key: keyof Link, value: keyof Link) {
  const found = new Map<string, string[]>(ids.map((id) => [id, []]));
  for (const link of links) if (found.has(link[value])) found.get(link[key])?.push(link[value]);
  return found;
}
