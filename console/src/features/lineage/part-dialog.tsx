// Asks before a pipeline no longer begins after another.
import { useQuery } from "@tanstack/react-query";
import type { LineageEdge, LineageNode } from "@/api/lineage";
import { triggerQuery, useChangeTrigger, useDeleteTrigger } from "@/api/triggers";
import { ProblemAlert } from "@/components/problem-state";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";

interface PartDialogProps {
  edge: LineageEdge;
  from: LineageNode;
  to: LineageNode;
  onClose: () => void;
}

export function PartDialog({ edge, from, to, onClose }: PartDialogProps) {
  const id = edge.trigger_id ?? "";
  const { data: trigger, error } = useQuery(triggerQuery(id));
  const [change, remove] = [useChangeTrigger(), useDeleteTrigger()];
  const others = (trigger?.upstream ?? []).filter(({ upstream_id }) => upstream_id !== from.object_id);
  const part = () => {
    if (!trigger) return;
    if (others.length === 0) remove.mutate(id, { onSuccess: onClose });
    else
      change.mutate({ id, upstream: others.map(({ upstream_id }) => upstream_id) }, { onSuccess: onClose });
  };
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title={`Let ${to.name} no longer begin after ${from.name}?`}
      action="Remove dependency"
      onConfirm={part}
      isBusy={!error && (!trigger || change.isPending || remove.isPending)}
      error={
        <ProblemAlert title="The dependency was not removed." error={error ?? change.error ?? remove.error} />
      }
    >
      <p>
        {others.length > 0
          ? `It begins after ${others.map(({ upstream_name }) => upstream_name).join(", ")} still.`
          : "The trigger is deleted, and events that wait for their run are forgotten."}{" "}
        Runs under way go on, and both pipelines stay.
      </p>
    </ConfirmDialog>
  );
}
