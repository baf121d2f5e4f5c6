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

/** Stands in every line of a list that may be long: what it needs when it is used comes then. */
export function Acts({ item }: { item: PipelineItem }) {
  const { id, name, status } = item;
  const run = useMay("run");
  const start = useBeginRun();
  const [open, setOpen] = useState<"run" | "delete" | null>(null);
  const refusal = run.reason ?? (status === "draft" ? DRAFT : null);
  const begun = () => toast("success", `A run of ${name} has begun.`);
  const close = () => setOpen(null);
  return (
    <div className="flex justify-end gap-1">
      <Button
        size="icon"
        variant="ghost"
        aria-label={`Run ${name} now`}
        refusal={refusal}
        isBusy={start.isPending}
        onClick={() =>
          start.mutate(
            { pipeline: id },
            {
              onSuccess: begun,
              onError: (error) => {
                if (error instanceof ApiProblem && error.field === "params") setOpen("run");
                else toast("danger", `${name} was not run: ${error.message}.`);
              },
            },
          )
        }
      >
        {!start.isPending && <Play aria-hidden />}
      </Button>
      <ThingMenu name={name} written={pipelineWritten(item)}>
        <MenuItem icon={ListStart} refusal={refusal} onSelect={() => setOpen("run")}>
          Run with…
        </MenuItem>
        <Others item={item} onDelete={() => setOpen("delete")} />
      </ThingMenu>
      {open === "run" && (
        <Suspense>
          <RunDialog pipeline={id} name={name} onClose={close} onBegun={begun} />
        </Suspense>
      )}
      {open === "delete" && <DeleteDialog item={item} onClose={close} />}
    </div>
  );
}

/** In the menu, and there only while it is open. */
function Others({ item, onDelete }: { item: PipelineItem; onDelete: () => void }) {
  const { id, name, is_active: isActive } = item;
  const [edit, remove] = [useMay("edit"), useMay("delete")];
  const { mutateAsync } = useStanding();
  const navigate = useNavigate();
  const switchIt = () =>
    mutateAsync({ pipeline: id, status: isActive ? "paused" : "active" }).then(
      () =>
        toast(
          "success",
          isActive ? `${name} is paused: its schedules leave it alone.` : `${name} is active.`,
        ),
      (error: unknown) =>
        toast("danger", `${name} stays as it was: ${error instanceof Error ? error.message : "no answer"}.`),
    );
  return (
    <>
      <MenuItem icon={isActive ? Pause : Power} refusal={edit.reason} onSelect={() => void switchIt()}>
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
      <MenuItem icon={Trash2} isDangerous refusal={remove.reason} onSelect={onDelete}>
        Delete…
      </MenuItem>
    </>
  );
}

function DeleteDialog({ item, onClose }: { item: PipelineItem; onClose: () => void }) {
  const { id, name, revision } = item;
  const deletion = useDeletePipeline();
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title={`Delete pipeline ${name}?`}
      action="Delete pipeline"
      isBusy={deletion.isPending}
      error={<ProblemAlert title="It was not deleted." error={deletion.error} />}
      onConfirm={() =>
        deletion.mutate(id, {
          onSuccess: () => {
            onClose();
            toast("success", `${name} is deleted.`);
          },
        })
      }
    >
      <p>
        Its {revision} {revision === 1 ? "revision" : "revisions"}, its schedules and what it remembers of its
        sources go with it. What it has loaded stays where it is.
      </p>
    </ConfirmDialog>
  );
}
