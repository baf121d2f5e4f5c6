// A run's graph as a table, with the same figures.
import type { RunView } from "@/api/run-view";
import { layersOf, topological } from "@/components/graph/layout";
import { GraphOutline } from "@/components/graph/outline";
import { pressure } from "@/components/graph/pressure";
import { sharesText } from "@/components/graph/ring";
import { StatusBadge } from "@/components/ui/status-badge";
import { Bytes, Count } from "@/components/ui/values";
import { formatCount } from "@/lib/format";
import type { Shape } from "./graph-model";
import { edgeRate, type Heard, rowRate, shares } from "./rates";

const COLUMNS = [
  { header: "Kind" },
  { header: "State" },
  { header: "Takes from" },
  { header: "Rows in", align: "right" },
  { header: "Rows out", align: "right" },
  { header: "Rows/s", align: "right" },
  { header: "Bytes out", align: "right" },
  { header: "Its time" },
  { header: "Its outputs" },
] as const;

interface RunOutlineProps {
  shape: Shape;
  view: RunView;
  heard: readonly Heard[];
  selected: string | null;
  onSelect: (id: string) => void;
}

export function RunOutline({ shape, view, heard, selected, onSelect }: RunOutlineProps) {
  const layers = layersOf(shape.ids, shape.links);
  const rows = topological(shape.ids, shape.links).flatMap((id) => {
    const block = view.blocks[id];
    if (!block) return [];
    const from = shape.links.filter((link) => link.to === id).map((link) => link.from);
    const fills = shape.links.flatMap((link) => {
      const fill = link.from === id ? edgeRate(heard, id, link.to)?.fill : null;
      return fill === null || fill === undefined ? [] : `${link.to}: ${pressure(fill).text}`;
    });
    const spent = shares(heard, id);
    return [
      {
        id,
        depth: layers.get(id) ?? 0,
        name: id,
        cells: [
          shape.kinds[id]?.replaceAll("_", " ") ?? "–",
          <StatusBadge key="state" status={block.state} />,
          from.join(", ") || "–",
          <Count key="in" value={block.rows_in} />,
          <Count key="out" value={block.rows_out} />,
          <span key="rate" className="tabular-nums">
            {formatCount(Math.round(rowRate(heard, id)))}
          </span>,
          <Bytes key="bytes" value={block.bytes_out} />,
          <span key="time" className="block min-w-48">
            {spent ? sharesText(spent) : "–"}
          </span>,
          fills.length > 0
            ? fills.map((fill) => (
                <span key={fill} className="block whitespace-nowrap">
                  {fill}
                </span>
              ))
            : "–",
        ],
      },
    ];
  });
  return (
    <GraphOutline
      label="Blocks of the run"
      head="Block"
      columns={COLUMNS}
      rows={rows}
      selected={selected}
      onSelect={onSelect}
    />
  );
}
