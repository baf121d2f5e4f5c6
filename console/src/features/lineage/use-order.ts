// Which pipeline begins after which: made, and taken away.
import { useState } from "react";
import type { Lineage, LineageEdge } from "@/api/lineage";
import { useMakeTrigger } from "@/api/triggers";
import { toast } from "@/components/ui/toast";
import { type Refusal, refusal } from "./model";

/** What was refused, with the line that was wished for. */
export interface Refused extends Refusal {
  wished: LineageEdge;
}

export function useOrder(lineage: Lineage) {
  const make = useMakeTrigger();
  const [refused, setRefused] = useState<Refused | null>(null);
  const [doomed, setDoomed] = useState<LineageEdge | null>(null);

  /** Lets the pipeline `to` begin after the pipeline `from`, or says why it cannot. */
  const join = (from: string, to: string) => {
    const no = refusal(lineage, from, to);
    setRefused(no && { ...no, wished: { from, to, kind: "triggers" } });
    const [first, second] = [from, to].map((id) => lineage.nodes.find((node) => node.id === id));
    if (no || !first?.object_id || !second?.object_id) return;
    make.mutate(
      {
        kind: "upstream",
        target_type: "pipeline",
        target_id: second.object_id,
        upstream: [first.object_id],
      },
      {
        onSuccess: () => toast("success", `${second.name} begins once ${first.name} has succeeded.`),
        onError: ({ message }) => toast("danger", `${second.name} was not joined: ${message}.`),
      },
    );
  };
  return { join, refused, forget: () => setRefused(null), doomed, setDoomed, isBusy: make.isPending };
}

export type Order = ReturnType<typeof useOrder>;
