// Which joins may be, and in which words the others are refused.
import { portLook } from "@/components/graph/ports";
import { below, type Graph, type Join } from "./graph";

/** Why the output of one block cannot become an input of another; null where it can. */
export function refusal(graph: Graph, source: string, target: string): string | null {
  if (source === target) return `“${source}” cannot read itself.`;
  const [from, to] = [source, target].map((id) => graph.blocks.find((block) => block.id === id));
  if (!from || !to) return "There is no such block.";
  if (!from.kind) return `What “${source}” does is not said yet, so nobody knows what it gives.`;
  if (!to.kind) return `What “${target}” does is not said yet, so nobody knows what it reads.`;
  const [gives, takes] = [from.kind.output, to.kind.input];
  if (gives === null)
    return `“${source}” gives nothing: “${from.kind.label}” is an end. Join the block that it reads instead.`;
  if (takes === null)
    return `“${target}” takes no input: “${to.kind.label}” reads from a connection or a file.`;
  if (gives !== takes) {
    const words = `“${source}” gives ${portLook(gives).words} (${gives}), but “${target}” reads ${portLook(takes).words} (${takes}).`;
    return `${words} ${wayOut(gives, takes, source)}`.trim();
  }
  if (graph.joins.some((join) => join.source === source && join.target === target && join.port !== null))
    return `“${target}” reads “${source}” already.`;
  if (below(graph, target).has(source))
    return `That would be a circle: “${way(graph.joins, target, source).join("” → “")}” → “${target}”.`;
  return null;
}

function wayOut(gives: string, takes: string, source: string): string {
  if (gives === "DB_TABLE" && takes === "S3_FILE")
    return `Extract that table first: an extract of it with “after: ${source}”.`;
  if (gives === "S3_FILE" && takes === "DB_TABLE")
    return `Load “${source}” into the database first, then name the table that it became.`;
  return "";
}

/** The blocks from one to another, both named. */
function way(joins: readonly Join[], from: string, to: string): string[] {
  const waiting: string[][] = [[from]];
  const seen = new Set([from]);
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    const last = path.at(-1);
    if (last === to) return path;
    for (const { source, target } of joins) {
      if (source !== last || seen.has(target)) continue;
      seen.add(target);
      waiting.push([...path, target]);
    }
  }
  return [from, to];
}
