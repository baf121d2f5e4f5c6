// Who works: executors, how many of their slots are taken, and what they held at most.
import { Link } from "@tanstack/react-router";
import { Server } from "lucide-react";
import type { Schemas } from "@/api/types";
import { Card } from "@/components/ui/card";
import { StatusBadge } from "@/components/ui/status-badge";
import { Bytes } from "@/components/ui/values";
import { plural } from "@/lib/format";

export function ClusterStrip({ strip }: { strip: Schemas["Strip"] }) {
  const { alive, busy, slots, draining, peak_memory_bytes } = strip;
  const share = slots === 0 ? 0 : Math.min(1, busy / slots);
  return (
    <Card className="flex flex-wrap items-center gap-x-6 gap-y-2 px-5 py-3">
      <Link to="/executors" className="flex items-center gap-2 font-medium hover:underline">
        <Server aria-hidden className="size-4 text-link" />
        {plural(alive, "executor")}
      </Link>
      {alive === 0 ? (
        <StatusBadge status="failed" word="Nothing can run" />
      ) : draining > 0 ? (
        <StatusBadge status="draining" word={`${draining} draining`} />
      ) : (
        <StatusBadge status="active" word="Ready" />
      )}
      <span className="flex items-center gap-2 text-muted-foreground">
        {slots === 0 ? `${busy} at work` : `${busy} of ${plural(slots, "slot")} taken`}
        {slots > 0 && (
          <span aria-hidden className="h-2 w-28 overflow-hidden rounded-full bg-border">
            <span className="block h-full bg-primary" style={{ width: `${share * 100}%` }} />
          </span>
        )}
      </span>
      {peak_memory_bytes > 0 && (
        <span className="text-muted-foreground">
          at most <Bytes value={peak_memory_bytes} /> held
        </span>
      )}
    </Card>
  );
}
