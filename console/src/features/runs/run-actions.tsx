// What can be done with a run.
import { useNavigate } from "@tanstack/react-router";
import { Ban, Pause, Play, RotateCcw, StepForward } from "lucide-react";
import { useState } from "react";
import { useMay } from "@/api/me";
import { isUnderWay } from "@/api/run-live";
import { type RunDetail, useBeginRun, useCancelRun, useRetryRun } from "@/api/runs";
import { useRunTransformation } from "@/api/transformations";
import { ProblemAlert } from "@/components/problem-state";
import { ThingMenu } from "@/components/thing-menu";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { toast } from "@/components/ui/toast";
import { useShortcuts } from "@/lib/keys";
import { written } from "./written";

interface RunActionsProps {
  run: RunDetail;
  isPaused: boolean;
  /** Left out where nothing moves that could be paused. */
  onPause: ((isPaused: boolean) => void) | undefined;
}

export function RunActions({ run, isPaused, onPause }: RunActionsProps) {
  const may = useMay("run");
  const navigate = useNavigate();
  const [isAsking, setAsking] = useState(false);
  const [cancel, retry, begin] = [useCancelRun(), useRetryRun(), useBeginRun()];
  const make = useRunTransformation();
  const failed = (what: string) => (error: Error) => toast("danger", `${what}: ${error.message}.`);
  const goTo = (id: string) => void navigate({ to: "/runs/$run", params: { run: id } });
  const again = () => {
    const { pipeline_id: pipeline, target_id: target, params } = run;
    if (!may.allowed || begin.isPending || make.isPending) return;
    const then = {
      onSuccess: ({ id }: { id: string }) => goTo(id),
      onError: failed(`${run.pipeline} could not be run`),
    };
    if (pipeline) begin.mutate({ pipeline, params }, then);
    else if (run.target_type === "transformation" && target)
      make.mutate({ id: target, upstream: false, params }, then);
  };
  const isOver = !isUnderWay(run);
  const canRetry = run.status === "failed" || run.status === "cancelled";
  useShortcuts(isOver ? [{ keys: "r", label: "Run it again", run: again }] : []);
  return (
    <>
      {onPause && (
        <Button onClick={() => onPause(!isPaused)} aria-pressed={isPaused}>
          {isPaused ? <Play aria-hidden /> : <Pause aria-hidden />}
          {isPaused ? "Go on showing" : "Pause the view"}
        </Button>
      )}
      {!isOver && (
        <Button
          variant="danger"
          refusal={may.reason ?? (run.state === "cancelling" ? "It is being cancelled." : null)}
          onClick={() => setAsking(true)}
        >
          <Ban aria-hidden /> Cancel
        </Button>
      )}
      {canRetry && (
        <Button
          refusal={may.reason}
          isBusy={retry.isPending}
          onClick={() =>
            retry.mutate(run.id, {
              onSuccess: ({ id }) => goTo(id),
              onError: failed("It could not be gone on with"),
            })
          }
        >
          <StepForward aria-hidden /> Retry from the failed block
        </Button>
      )}
      {isOver && (
        <Button
          variant="primary"
          refusal={may.reason ?? (run.target_id ? null : "The file of this run is not kept here.")}
          isBusy={begin.isPending || make.isPending}
          onClick={again}
        >
          <RotateCcw aria-hidden /> Re-run
        </Button>
      )}
      <ThingMenu isPage name={`the run of ${run.pipeline}`} written={written(run)} />
      <ConfirmDialog
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        title={`Cancel this run of ${run.pipeline}?`}
        action="Cancel the run"
        isBusy={cancel.isPending}
        onConfirm={() => cancel.mutate(run.id, { onSuccess: () => setAsking(false) })}
        error={<ProblemAlert title="The run could not be cancelled." error={cancel.error} />}
      >
        <p>What it has committed stays, and it can be gone on with later.</p>
        {run.view.published.length > 0 && (
          <p>Already visible in their targets: {run.view.published.join(", ")}.</p>
        )}
      </ConfirmDialog>
    </>
  );
}
