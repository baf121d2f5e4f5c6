// The lineage as a table, with the same things to do.
import { X } from "lucide-react";
import type { Lineage, LineageEdge, LineageNode } from "@/api/lineage";
import { layersOf, topological } from "@/components/graph/layout";
import { GraphOutline } from "@/components/graph/outline";
import { Button } from "@/components/ui/button";
import { StatusBadge } from "@/components/ui/status-badge";
import { Time } from "@/components/ui/values";

const COLUMNS = [
  { header: "Kind" },
  { header: "State" },
  { header: "Last run" },
  { header: "Reads" },
  { header: "Writes" },
  { header: "Begins after" },
] as const;

interface LineageOutlineProps {
  part: Lineage;
  health: ReadonlyMap<string, string>;
  chosen: string | null;
  onChoose: (id: string) => void;
  onPart: (edge: LineageEdge) => void;
  /** Why dependencies may not be removed. */
  refusal: string | null;
}

export function LineageOutline({ part, health, chosen, onChoose, onPart, refusal }: LineageOutlineProps) {
  const { nodes, edges } = part;
  const named = new Map(nodes.map((node) => [node.id, node]));
  const ids = nodes.map(({ id }) => id);
  const layers = layersOf(ids, edges);
  const names = (found: readonly (LineageNode | undefined)[]) =>
    found.flatMap((node) => node?.name ?? []).join(", ") || "–";
  const rows = topological(ids, edges).flatMap((id) => {
    const node = named.get(id);
    if (!node) return [];
    const status = health.get(id);
    const after = edges.filter(({ to, kind }) => to === id && kind === "triggers");
    const reads = edges.filter(({ to, kind }) => to === id && kind === "reads");
    const writes = edges.filter(({ from, kind }) => from === id && kind === "writes");
    return {
      id,
      depth: layers.get(id) ?? 0,
      name: node.name,
      cells: [
        node.kind,
        status ? <StatusBadge key="state" status={status} /> : "–",
        node.last_run ? <Time key="time" at={node.last_run.finished_at ?? node.last_run.started_at} /> : "–",
        names(reads.map(({ from }) => named.get(from))),
        names(writes.map(({ to }) => named.get(to))),
        after.length > 0 ? (
          <After key="after" node={node} edges={after} named={named} onPart={onPart} refusal={refusal} />
        ) : (
          "–"
        ),
      ],
    };
  });
  return (
    <GraphOutline
      label="Lineage"
      head="Name"
      columns={COLUMNS}
      rows={rows}
      selected={chosen}
      onSelect={onChoose}
    />
  );
}

interface AfterProps {
  node: LineageNode;
  edges: readonly LineageEdge[];
  named: ReadonlyMap<string, LineageNode>;
  onPart: (edge: LineageEdge) => void;
  refusal: string | null;
}

/** The pipelines that one begins after, each to be taken away. */
export function After({ node, edges, named, onPart, refusal }: AfterProps) {
  return (
    <ul className="flex flex-wrap gap-1.5">
      {edges.map((edge) => {
        const name = named.get(edge.from)?.name ?? edge.from;
        return (
          <li
            key={`${edge.from} ${edge.trigger_id ?? ""}`}
            className="flex items-center rounded-lg border border-border pl-2.5"
          >
            {name}
            <Button
              size="icon"
              variant="ghost"
              aria-label={`Let ${node.name} no longer begin after ${name}`}
              refusal={refusal}
              onClick={() => onPart(edge)}
            >
              <X aria-hidden />
            </Button>
          </li>
        );
      })}
    </ul>
  );
}
