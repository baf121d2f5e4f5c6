// What a transformation reads, what reads it, and its last run.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Share2 } from "lucide-react";
import { Children, type ReactNode } from "react";
import { type LineageNode, lineageQuery } from "@/api/lineage";
import type { Transformation } from "@/api/transformations";
import { KindIcon } from "@/components/graph/kind-icon";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { StatusBadge } from "@/components/ui/status-badge";
import { Time } from "@/components/ui/values";

export function LineageTab({ transformation: { id, name } }: { transformation: Transformation }) {
  const { data: lineage } = useQuery(lineageQuery);
  const own = `transformation:${id}`;
  const edges = (lineage?.edges ?? []).filter(({ kind }) => kind !== "triggers");
  const nodes = lineage?.nodes ?? [];
  const reads = nodes.filter((node) => edges.some(({ from, to }) => to === own && from === node.id));
  const writes = nodes.filter((node) => edges.some(({ from, to }) => from === own && to === node.id));
  const run = nodes.find((node) => node.id === own)?.last_run;
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
        <Part title="Last run" none="It has not run yet.">
          {run ? (
            <li className="flex min-h-9 flex-wrap items-center gap-x-3">
              <StatusBadge status={run.status} />
              <Link to="/runs/$run" params={{ run: run.id }} className="hover:underline">
                <Time at={run.finished_at ?? run.started_at} />
              </Link>
              <Link
                to="/runs/$run"
                params={{ run: run.id }}
                search={{ tab: "data" }}
                className="ml-auto text-link underline-offset-4 hover:underline"
              >
                What its tests said
              </Link>
            </li>
          ) : null}
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

function Part({ title, none, children }: { title: string; none: string; children: ReactNode }) {
  return (
    <Card className="flex flex-col gap-2 p-4">
      <h2 className="font-medium">{title}</h2>
      {Children.toArray(children).length > 0 ? (
        <ul>{children}</ul>
      ) : (
        <p className="text-muted-foreground">{none}</p>
      )}
    </Card>
  );
}

function Node({ node: { kind, name } }: { node: LineageNode }) {
  return (
    <li className="flex min-h-9 items-center gap-2">
      <KindIcon kind={kind} className="size-4 shrink-0 text-muted-foreground" />
      <span className="min-w-0 break-words">{name}</span>
    </li>
  );
}
