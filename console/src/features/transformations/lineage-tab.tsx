// What a transformation reads, what reads it, and its last runs.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Share2 } from "lucide-react";
import type { ReactNode } from "react";
import { type LineageNode, lineageQuery } from "@/api/lineage";
import { runsQuery } from "@/api/runs";
import type { Transformation } from "@/api/transformations";
import { KindIcon } from "@/components/graph/kind-icon";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { StatusBadge } from "@/components/ui/status-badge";
import { Duration, Time } from "@/components/ui/values";

const RUNS = 5;

export function LineageTab({ transformation: { id, name } }: { transformation: Transformation }) {
  const { data: lineage } = useQuery(lineageQuery);
  const { data: found } = useInfiniteQuery(runsQuery({ pipeline: name }));
  const own = `transformation:${id}`;
  const edges = (lineage?.edges ?? []).filter(({ kind }) => kind !== "triggers");
  const nodes = lineage?.nodes ?? [];
  const reads = nodes.filter((node) => edges.some(({ from, to }) => to === own && from === node.id));
  const writes = nodes.filter((node) => edges.some(({ from, to }) => from === own && to === node.id));
  const runs = (found?.pages ?? [])
    .flatMap(({ runs }) => runs)
    .filter(({ target_id }) => target_id === id)
    .slice(0, RUNS);
  return (
    <div className="flex flex-col gap-4">
      <div className="grid gap-4 lg:grid-cols-3">
        <Part title="Reads" none="Nothing of what is known here.">
          {reads.map((node) => (
            <Node key={node.id} node={node} />
          ))}
        </Part>
        <Part title="Makes" none="Nothing by itself.">
          {writes.map((node) => (
            <Node key={node.id} node={node} />
          ))}
        </Part>
        <Part title="Last runs" none="It has not run yet.">
          {runs.map((run) => (
            <li key={run.id} className="flex min-h-9 items-center gap-3">
              <StatusBadge status={run.state} />
              <Link to="/runs/$run" params={{ run: run.id }} className="hover:underline">
                <Time at={run.started_at} />
              </Link>
              <span className="ml-auto text-muted-foreground">
                <Duration seconds={run.duration_seconds} />
              </span>
            </li>
          ))}
        </Part>
      </div>
      <Button asChild className="self-start">
        <Link to="/dag" search={{ q: `+${name}+`, at: own }}>
          <Share2 aria-hidden /> Show its lineage
        </Link>
      </Button>
    </div>
  );
}

function Part({ title, none, children }: { title: string; none: string; children: readonly ReactNode[] }) {
  return (
    <Card className="flex flex-col gap-2 p-4">
      <h2 className="font-medium">{title}</h2>
      {children.length > 0 ? <ul>{children}</ul> : <p className="text-muted-foreground">{none}</p>}
    </Card>
  );
}

function Node({ node: { kind, name, connection } }: { node: LineageNode }) {
  return (
    <li className="flex min-h-9 items-center gap-2">
      <KindIcon kind={kind} className="size-4 shrink-0 text-muted-foreground" />
      <span className="min-w-0 break-words">{name}</span>
      <span className="ml-auto text-xs text-muted-foreground">{connection ?? kind}</span>
    </li>
  );
}
