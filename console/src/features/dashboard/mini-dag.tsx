// All pipelines in small, each behind those that it goes on from, coloured by how they stand.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { type Lineage, lineageQuery } from "@/api/lineage";
import { layoutGraph, type Link as Line, NODE_HEIGHT, NODE_WIDTH } from "@/components/graph/layout";
import { Button } from "@/components/ui/button";
import { Card, Section } from "@/components/ui/card";
import { StatusIcon, statusWord } from "@/components/ui/status-badge";

const COLOURS: Record<string, string> = {
  success: "var(--success)",
  failed: "var(--danger)",
  running: "var(--info)",
  pending: "var(--info)",
};

/** Nothing where there is no pipeline, or the lineage cannot be had: the page tells more than this. */
export function MiniDag() {
  const { data } = useQuery(lineageQuery);
  const drawn = useMemo(() => data && pipelinesOf(data), [data]);
  if (!drawn || drawn.nodes.length === 0) return null;
  const counts = new Map<string, number>();
  for (const { status } of drawn.nodes) counts.set(status, (counts.get(status) ?? 0) + 1);
  const said = [...counts].map(([status, count]) => `${count} ${statusWord(status).toLowerCase()}`);
  return (
    <Section
      title="Health of the pipelines"
      aside={
        <Button asChild variant="link" size="sm">
          <Link to="/dag" search={{ by: "health" }}>
            Lineage
          </Link>
        </Button>
      }
    >
      <Card className="flex flex-col gap-3 p-4">
        <Drawn {...drawn} label={`Pipelines by their last run: ${said.join(", ")}`} />
        <ul className="flex flex-wrap gap-x-4 gap-y-1 text-xs">
          {[...counts].map(([status, count]) => (
            <li key={status} className="flex items-center gap-1.5">
              {count} <StatusIcon status={status} />
            </li>
          ))}
        </ul>
      </Card>
    </Section>
  );
}

const GAP_PX = 120;
/** Larger than this nothing is drawn, however few there are; smaller than this names are not read. */
const LARGEST = 0.5;
const READABLE = 0.4;
/** What there is room for. */
const HEIGHT_PX = 144;
const WIDTH_PX = 900;
/** Of letters in a name. */
const NAME_LENGTH = 14;

interface Small {
  nodes: readonly { id: string; name: string; status: string }[];
  lines: readonly Line[];
}

function Drawn({ nodes, lines, label }: Small & { label: string }) {
  const places = layoutGraph(
    nodes.map(({ id }) => id),
    lines,
    GAP_PX,
  );
  const ends = [...places.values()];
  const width = Math.max(...ends.map(({ x }) => x)) + NODE_WIDTH;
  const height = Math.max(...ends.map(({ y }) => y)) + NODE_HEIGHT;
  const scale = Math.min(LARGEST, HEIGHT_PX / height, WIDTH_PX / width);
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`-8 -8 ${width + 16} ${height + 16}`}
      className="w-full"
      style={{ height: height * scale }}
      preserveAspectRatio="xMinYMid"
    >
      {lines.map(({ from, to }) => {
        const [one, other] = [places.get(from), places.get(to)];
        if (!one || !other) return null;
        const [x, y] = [one.x + NODE_WIDTH, one.y + NODE_HEIGHT / 2];
        const [far, low] = [other.x, other.y + NODE_HEIGHT / 2];
        const middle = (x + far) / 2;
        return (
          <path
            key={`${from} ${to}`}
            d={`M${x} ${y} C${middle} ${y} ${middle} ${low} ${far} ${low}`}
            fill="none"
            stroke="var(--input)"
            strokeWidth="1.5"
            vectorEffect="non-scaling-stroke"
          />
        );
      })}
      {nodes.map(({ id, name, status }) => (
        <g key={id} transform={`translate(${places.get(id)?.x ?? 0} ${places.get(id)?.y ?? 0})`}>
          <title>{`${name}: ${statusWord(status).toLowerCase()}`}</title>
          <rect
            width={NODE_WIDTH}
            height={NODE_HEIGHT}
            rx="20"
            fill={scale < READABLE ? colourOf(status) : "var(--card)"}
            stroke={colourOf(status)}
            strokeWidth="2"
            vectorEffect="non-scaling-stroke"
          />
          {scale >= READABLE && (
            <>
              <circle cx="30" cy={NODE_HEIGHT / 2} r="10" fill={colourOf(status)} />
              <text x="54" y={NODE_HEIGHT / 2} dominantBaseline="central" fontSize="25" fill="currentColor">
                {name.length > NAME_LENGTH ? `${name.slice(0, NAME_LENGTH - 1)}…` : name}
              </text>
            </>
          )}
        </g>
      ))}
    </svg>
  );
}

function colourOf(status: string): string {
  return COLOURS[status] ?? "var(--input)";
}

/** Pipelines alone: joined where one begins after another, or reads what comes of what another writes. */
function pipelinesOf({ nodes, edges }: Lineage): Small {
  const pipelines = nodes.filter(({ kind }) => kind === "pipeline");
  const known = new Set(pipelines.map(({ id }) => id));
  const next = new Map<string, string[]>();
  for (const { from, to } of edges) next.set(from, [...(next.get(from) ?? []), to]);
  const lines = pipelines.flatMap(({ id: from }) => {
    const seen = new Set([from]);
    const reached: Line[] = [];
    const waiting = [...(next.get(from) ?? [])];
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      if (seen.has(id)) continue;
      seen.add(id);
      if (known.has(id)) reached.push({ from, to: id });
      else waiting.push(...(next.get(id) ?? []));
    }
    return reached;
  });
  return {
    nodes: pipelines.map(({ id, name, last_run }) => ({ id, name, status: last_run?.status ?? "never" })),
    lines,
  };
}
