// What is chosen in the lineage: what it is, how it stands, what it comes from and leads to.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Activity, Focus, X } from "lucide-react";
import type { ReactNode } from "react";
import type { Lineage, LineageEdge, LineageNode } from "@/api/lineage";
import { useMay } from "@/api/me";
import { runsQuery } from "@/api/runs";
import { KindIcon } from "@/components/graph/kind-icon";
import { Button } from "@/components/ui/button";
import { Combobox } from "@/components/ui/combobox";
import { StatusBadge } from "@/components/ui/status-badge";
import { Duration, Time } from "@/components/ui/values";
import { After } from "./lineage-outline";
import { refusal } from "./model";
import { ThingLink } from "./thing-link";
import type { Order } from "./use-order";

interface NodePanelProps {
  node: LineageNode;
  lineage: Lineage;
  status: string | undefined;
  order: Order;
  onChoose: (id: string | undefined) => void;
  /** Shows only what the selector picks. */
  onPick: (selector: string) => void;
}

export function NodePanel({ node, lineage, status, order, onChoose, onPick }: NodePanelProps) {
  const { id, kind, name, connection, last_run: run } = node;
  const flows = lineage.edges.filter((edge) => edge.kind !== "triggers");
  const ends = (edges: readonly LineageEdge[], end: "from" | "to") =>
    lineage.nodes.filter((other) => edges.some((edge) => edge[end] === other.id));
  const before = ends(
    flows.filter(({ to }) => to === id),
    "from",
  );
  const after = ends(
    flows.filter(({ from }) => from === id),
    "to",
  );
  const isRun = kind === "pipeline" || kind === "transformation";
  return (
    <aside
      aria-label={`About ${name}`}
      className="flex flex-col gap-4 self-start rounded-xl border border-border bg-card p-4 lg:max-h-full lg:overflow-y-auto"
    >
      <div className="flex items-start gap-3">
        <KindIcon kind={kind} className="mt-1 size-5 shrink-0 text-link" />
        <div className="min-w-0 flex-1">
          <h2 className="text-base font-semibold break-words">{name}</h2>
          <p className="text-muted-foreground">
            {kind}
            {connection && ` in ${connection}`}
          </p>
        </div>
        <Button size="icon" variant="ghost" aria-label="Close" onClick={() => onChoose(undefined)}>
          <X aria-hidden />
        </Button>
      </div>
      {status && (
        <p className="flex flex-wrap items-center gap-2">
          <StatusBadge status={status} />
          {isRun ? (
            <Time at={run && (run.finished_at ?? run.started_at)} none="has not run" />
          ) : (
            "as those that write it"
          )}
        </p>
      )}
      <div className="flex flex-wrap gap-2">
        <ThingLink node={node} />
        {run && (
          <Button asChild size="sm">
            <Link to="/runs/$run" params={{ run: run.id }}>
              <Activity aria-hidden /> Last run
            </Link>
          </Button>
        )}
        <Button size="sm" onClick={() => onPick(`+${name}+`)}>
          <Focus aria-hidden /> Only its lineage
        </Button>
      </div>
      {kind === "pipeline" && <BeginsAfter node={node} lineage={lineage} order={order} />}
      <Ends title={isRun ? "Reads" : "Written by"} nodes={before} onChoose={onChoose} />
      <Ends title={isRun ? "Writes" : "Read by"} nodes={after} onChoose={onChoose} />
      {kind === "pipeline" && node.object_id && <Runs pipeline={node.object_id} name={name} />}
    </aside>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="flex flex-col gap-1.5">
      <h3 className="text-xs font-medium text-muted-foreground">{title}</h3>
      {children}
    </section>
  );
}

interface EndsProps {
  title: string;
  nodes: readonly LineageNode[];
  onChoose: (id: string) => void;
}

function Ends({ title, nodes, onChoose }: EndsProps) {
  if (nodes.length === 0) return null;
  return (
    <Part title={title}>
      <ul>
        {nodes.map(({ id, kind, name }) => (
          <li key={id}>
            <button
              type="button"
              onClick={() => onChoose(id)}
              className="flex min-h-7 w-full items-center gap-2 text-left hover:underline"
            >
              <KindIcon kind={kind} className="size-4 shrink-0 text-muted-foreground" />
              <span className="min-w-0 break-words">{name}</span>
            </button>
          </li>
        ))}
      </ul>
    </Part>
  );
}

/** The same as drawing a line to it, for who does not draw. */
function BeginsAfter({ node, lineage, order }: Pick<NodePanelProps, "node" | "lineage" | "order">) {
  const [edit, remove] = [useMay("edit"), useMay("delete")];
  const edges = lineage.edges.filter(({ to, kind }) => to === node.id && kind === "triggers");
  const named = new Map(lineage.nodes.map((one) => [one.id, one]));
  const others = lineage.nodes.filter(({ id }) => (refusal(lineage, id, node.id)?.circle ?? [id]).length > 0);
  const choices = others.filter(({ id, kind }) => kind === "pipeline" && id !== node.id);
  return (
    <Part title="Begins after">
      {edges.length > 0 && (
        <After node={node} edges={edges} named={named} onPart={order.setDoomed} refusal={remove.reason} />
      )}
      {edit.allowed && (
        <Combobox
          label={`Let ${node.name} begin after`}
          value=""
          placeholder="Let it begin after…"
          choices={choices.map(({ id, name }) => ({ value: id, label: name }))}
          onChange={(from) => order.join(from, node.id)}
          className="w-full"
        />
      )}
    </Part>
  );
}

const RUNS_SHOWN = 5;

function Runs({ pipeline, name }: { pipeline: string; name: string }) {
  const { data } = useInfiniteQuery(runsQuery({ pipeline }));
  const runs = data?.pages[0]?.runs.slice(0, RUNS_SHOWN) ?? [];
  if (runs.length === 0) return null;
  return (
    <Part title="Last runs">
      <ul>
        {runs.map((run) => (
          <li key={run.id} className="flex min-h-8 flex-wrap items-center justify-between gap-x-3">
            <span className="flex items-center gap-2">
              <StatusBadge status={run.state} />
              <Link to="/runs/$run" params={{ run: run.id }} className="text-link hover:underline">
                <Time at={run.started_at} />
              </Link>
            </span>
            <Duration seconds={run.duration_seconds} />
          </li>
        ))}
      </ul>
      <Link to="/runs" search={{ pipeline: name }} className="text-link hover:underline">
        All its runs
      </Link>
    </Part>
  );
}
