// The lineage as it is drawn: which part of it, how healthy each is, what may begin after what.
import type { Lineage, LineageEdge } from "@/api/lineage";

/** The nodes of these ids and what is between them; all where it is null. */
export function partOf({ nodes, edges }: Lineage, ids: ReadonlySet<string> | null): Lineage {
  if (ids === null) return { nodes, edges };
  return {
    nodes: nodes.filter(({ id }) => ids.has(id)),
    edges: edges.filter(({ from, to }) => ids.has(from) && ids.has(to)),
  };
}

export function edgeId({ from, to, kind, trigger_id }: LineageEdge): string {
  return `${from} ${kind} ${to} ${trigger_id ?? ""}`;
}

/** The worst first. */
const WORST = ["failed", "stalled", "interrupted", "cancelled", "pending", "running"];

/**
 * How each stands: what runs as its last run ended, what it writes as the worst of those that write it. Of what nothing
 * here writes nothing is known.
 */
export function healthOf({ nodes, edges }: Lineage): Map<string, string> {
  const health = new Map<string, string>();
  for (const { id, kind, last_run } of nodes)
    if (kind === "pipeline" || kind === "transformation") health.set(id, last_run?.status ?? "never");
  for (const { id } of nodes) {
    if (health.has(id)) continue;
    const writers = edges.filter(({ to, kind }) => to === id && kind === "writes");
    const found = writers.flatMap(({ from }) => health.get(from) ?? []);
    const worst = WORST.find((status) => found.includes(status)) ?? found.toSorted().at(-1);
    if (worst !== undefined) health.set(id, worst);
  }
  return health;
}

export interface Refusal {
  words: string;
  /** The lines of the circle that it would close. */
  circle: readonly LineageEdge[];
}

/** Why the pipeline `to` cannot begin after the pipeline `from`; null where it can. */
export function refusal({ nodes, edges }: Lineage, from: string, to: string): Refusal | null {
  const [first, second] = [from, to].map((id) => nodes.find((node) => node.id === id));
  const no = (words: string) => ({ words, circle: [] });
  if (!first || !second) return no("There is no such pipeline.");
  const other = [first, second].find(({ kind }) => kind !== "pipeline");
  if (other)
    return no(`“${other.name}” is a ${other.kind}: only a pipeline begins after a pipeline has succeeded.`);
  if (from === to) return no(`“${first.name}” cannot wait for itself.`);
  const triggers = edges.filter(({ kind }) => kind === "triggers");
  if (triggers.some((edge) => edge.from === from && edge.to === to))
    return no(`“${second.name}” begins after “${first.name}” already.`);
  const circle = way(triggers, to, from);
  if (circle === null) return null;
  const names = [to, ...circle.map((edge) => edge.to), to].map(
    (id) => `“${nodes.find((node) => node.id === id)?.name ?? id}”`,
  );
  return {
    words: `That would be a circle, in which each waits for the one before: ${names.join(" → ")}.`,
    circle,
  };
}

/** The lines that lead from one to another, the fewest; null where none do. */
function way(edges: readonly LineageEdge[], from: string, to: string): LineageEdge[] | null {
  const seen = new Set([from]);
  const waiting: LineageEdge[][] = edges.filter((edge) => edge.from === from).map((edge) => [edge]);
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    const last = path.at(-1);
    if (last === undefined || seen.has(last.to)) continue;
    if (last.to === to) return path;
    seen.add(last.to);
    for (const edge of edges) if (edge.from === last.to) waiting.push([...path, edge]);
  }
  return null;
}
