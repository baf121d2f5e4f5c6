// What can be done with a pipeline in the list.
import { CalendarPlus, ListStart, Pause, Play, Power, Trash2, Webhook } from "lucide-react";
import { useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { useMay } from "@/api/me";
import { type PipelineItem, useDeletePipeline, useStanding } from "@/api/pipeline-list";
import { ApiProblem } from "@/api/problem";
import { useBeginRun } from "@/api/runs";
import { pipelineWritten } from "@/components/pipeline-written";
import { ProblemAlert } from "@/components/problem-state";
import { ThingMenu } from "@/components/thing-menu";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { MenuItem } from "@/components/ui/menu";
import { toast } from "@/components/ui/toast";

const DRAFT = "A draft is activated in its editor before it runs.";
// It comes when it is opened first.
const RunDialog = lazy(() =>
  import("@/components/run-dialog").then(({ RunDialog }) => ({ default: RunDialog })),
);

export function Acts({ item }: { item: PipelineItem }) {
  const { id, name, status, is_active: isActive } = item;
  const [run, edit, remove] = [useMay("run"), useMay("edit"), useMay("delete")];
  const start = useBeginRun();
  const stand = useStanding();
  const deletion = useDeletePipeline();
  const navigate = useNavigate();
  const [isAsking, setAsking] = useState(false);
  const [isTelling, setTelling] = useState(false);
  const begun = () => toast("success", `A run of ${name} has begun.`);
  const refused = (what: string) => (error: Error) => toast("danger", `${what}: ${error.message}.`);
  return (
    <div className="flex justify-end gap-1">
      <Button
        size="icon"
        variant="ghost"
        aria-label={`Run ${name} now`}
        refusal={run.reason ?? (status === "draft" ? DRAFT : null)}
        isBusy={start.isPending}
        onClick={() =>
          start.mutate(
            { pipeline: id },
            {
              onSuccess: begun,
              onError: (error) => {
                if (error instanceof ApiProblem && error.field === "params") setTelling(true);
                else refused(`${name} was not run`)(error);
              },
            },
          )
        }
      >
        {!start.isPending && <Play aria-hidden />}
      </Button>
      <ThingMenu name={name} written={pipelineWritten(item)}>
        <MenuItem
          icon={ListStart}
          refusal={run.reason ?? (status === "draft" ? DRAFT : null)}
          onSelect={() => setTelling(true)}
        >
          Run with…
        </MenuItem>
        <MenuItem
          icon={isActive ? Pause : Power}
          refusal={edit.reason}
          onSelect={() =>
            stand.mutate(
              { pipeline: id, status: isActive ? "paused" : "active" },
              {
                onSuccess: () =>
                  toast(
                    "success",
                    isActive ? `${name} is paused: its schedules leave it alone.` : `${name} is active.`,
                  ),
                onError: refused(`${name} stays as it was`),
              },
            )
          }
        >
          {isActive ? "Pause" : "Activate"}
        </MenuItem>
        <MenuItem
          icon={CalendarPlus}
          refusal={edit.reason}
          onSelect={() => void navigate({ to: "/schedules", search: { new: true, pipeline: id } })}
        >
          New schedule
        </MenuItem>
        <MenuItem
          icon={Webhook}
          onSelect={() => void navigate({ to: "/schedules", search: { tab: "triggers", pipeline: id } })}
        >
          Triggers
        </MenuItem>
        <MenuItem icon={Trash2} isDangerous refusal={remove.reason} onSelect={() => setAsking(true)}>
          Delete…
        </MenuItem>
      </ThingMenu>
      <Suspense>
        {isTelling && (
          <RunDialog pipeline={id} name={name} onClose={() => setTelling(false)} onBegun={begun} />
        )}
      </Suspense>
      <ConfirmDialog
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        title={`Delete pipeline ${name}?`}
        action="Delete pipeline"
        isBusy={deletion.isPending}
        error={<ProblemAlert title="It was not deleted." error={deletion.error} />}
        onConfirm={() =>
          deletion.mutate(id, {
            onSuccess: () => {
              setAsking(false);
              toast("success", `${name} is deleted.`);
            },
          })
        }
      >
        <p>
          Its {item.revision} {item.revision === 1 ? "revision" : "revisions"}, its schedules and what it
          remembers of its sources go with it. What it has loaded stays where it is.
        </p>
      </ConfirmDialog>
    </div>
  );
}
