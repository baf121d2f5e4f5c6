// The figures of the block that is looked at.
import { Link } from "@tanstack/react-router";
import { ScrollText, X } from "lucide-react";
import type { ReactNode } from "react";
import type { RunDetail } from "@/api/runs";
import { sharesText } from "@/components/graph/ring";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { StatusBadge } from "@/components/ui/status-badge";
import { Bytes, Count, Duration } from "@/components/ui/values";
import { type Heard, shares } from "./rates";

interface BlockDetailProps {
  run: RunDetail;
  id: string;
  heard: readonly Heard[];
  onClose: () => void;
}

export function BlockDetail({ run, id, heard, onClose }: BlockDetailProps) {
  const block = run.view.blocks[id];
  if (!block) return null;
  const segment = run.view.segments[block.segment];
  const spent = shares(heard, id);
  const figures: [string, ReactNode][] = [
    ["Rows in", <Count key="in" value={block.rows_in} />],
    ["Rows out", <Count key="out" value={block.rows_out} />],
    ["Quarantined", <Count key="quarantined" value={block.rows_quarantined} />],
    ["Left out", <Count key="discarded" value={block.rows_discarded} />],
    ["Bytes out", <Bytes key="bytes" value={block.bytes_out} />],
    ["Spilled to disk", <Bytes key="spilled" value={block.bytes_spilled} />],
    ["Time", <Duration key="time" seconds={block.seconds} />],
    ["Tries", block.attempts],
  ];
  return (
    <Card className="p-4" role="region" aria-label={`Block ${id}`}>
      <div className="flex flex-wrap items-center gap-3">
        <h2 className="text-base font-semibold">{id}</h2>
        <StatusBadge status={block.state} />
        {segment && segment.blocks.length > 1 && (
          <span className="text-muted-foreground">runs together with {others(segment.blocks, id)}</span>
        )}
        <span className="ml-auto flex gap-2">
          <Button asChild size="sm">
            <Link to="/runs/$run" params={{ run: run.id }} search={{ tab: "logs", block: id }}>
              <ScrollText aria-hidden /> Its log
            </Link>
          </Button>
          <Button size="icon" variant="ghost" aria-label="Close" onClick={onClose}>
            <X aria-hidden />
          </Button>
        </span>
      </div>
      <dl className="mt-3 grid grid-cols-2 gap-x-6 gap-y-2 sm:grid-cols-4">
        {figures.map(([term, value]) => (
          <div key={term}>
            <dt className="text-xs text-muted-foreground">{term}</dt>
            <dd className="font-medium">{value}</dd>
          </div>
        ))}
      </dl>
      {spent && <p className="mt-3 text-muted-foreground">Its time: {sharesText(spent)}.</p>}
    </Card>
  );
}

function others(blocks: readonly string[], id: string): string {
  return blocks.filter((block) => block !== id).join(", ");
}
