// What can be done with a transformation: in its line of the list, and on its page.
import { Activity, CalendarPlus, Play, SlidersHorizontal, Trash2 } from "lucide-react";
import { useState } from "react";
import { useNavigate } from "@tanstack/react-router";
import { useMay } from "@/api/me";
import { type Transformation, useDeleteTransformation, useRunTransformation } from "@/api/transformations";
import { ProblemAlert } from "@/components/problem-state";
import { ThingMenu } from "@/components/thing-menu";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { MenuItem } from "@/components/ui/menu";
import { toast } from "@/components/ui/toast";
import { useShortcuts } from "@/lib/keys";
import { paramFields } from "@/lib/params";
import { RunDialog } from "./run-dialog";
import { transformationWritten } from "./written";

const EPHEMERAL = "It makes nothing by itself: run one that refers to it.";

interface ActsProps {
  transformation: Transformation;
  /** The page is about it. */
  isPage?: boolean;
  /** Why it may not be run now, beside what the role says. */
  refusal?: string | null;
}

export function Acts({ transformation, isPage = false, refusal = null }: ActsProps) {
  const { id, name, materialization } = transformation;
  const [may, mayEdit, mayDelete] = [useMay("run"), useMay("edit"), useMay("delete")];
  const run = useRunTransformation();
  const [open, setOpen] = useState<"run" | "delete" | null>(null);
  const reason = may.reason ?? (materialization === "ephemeral" ? EPHEMERAL : refusal);
  const navigate = useNavigate();
  const begun = (id: string) => {
    toast("success", `A run of ${name} has begun.`);
    if (isPage) void navigate({ to: "/runs/$run", params: { run: id } });
  };
  const begin = () => {
    if (reason !== null || run.isPending) return;
    // Who runs it says what is missing.
    if (paramFields(transformation.params).some((field) => field.isRequired)) {
      setOpen("run");
      return;
    }
    run.mutate(
      { id, upstream: false },
      {
        onSuccess: (run) => begun(run.id),
        onError: (error) => toast("danger", `${name} was not run: ${error.message}.`),
      },
    );
  };
  useShortcuts(isPage ? [{ keys: "r", label: "Run", run: begin }] : []);
  return (
    <div className="flex justify-end gap-1">
      {isPage ? (
        <Button variant="primary" refusal={reason} isBusy={run.isPending} onClick={begin}>
          {!run.isPending && <Play aria-hidden />} Run and test
        </Button>
      ) : (
        <Button
          size="icon"
          variant="ghost"
          aria-label={`Run ${name} now`}
          refusal={reason}
          isBusy={run.isPending}
          onClick={begin}
        >
          {!run.isPending && <Play aria-hidden />}
        </Button>
      )}
      <ThingMenu name={name} isPage={isPage} written={transformationWritten(transformation)}>
        <MenuItem icon={SlidersHorizontal} refusal={reason} onSelect={() => setOpen("run")}>
          Run with…
        </MenuItem>
        <MenuItem
          icon={Activity}
          onSelect={() => void navigate({ to: "/runs", search: { transformation: name } })}
        >
          Its runs
        </MenuItem>
        <MenuItem
          icon={CalendarPlus}
          refusal={mayEdit.reason ?? (materialization === "ephemeral" ? EPHEMERAL : null)}
          onSelect={() => void navigate({ to: "/schedules", search: { new: true, transformation: id } })}
        >
          New schedule
        </MenuItem>
        <MenuItem icon={Trash2} isDangerous refusal={mayDelete.reason} onSelect={() => setOpen("delete")}>
          Delete…
        </MenuItem>
      </ThingMenu>
      {open === "run" && (
        <RunDialog transformation={transformation} onClose={() => setOpen(null)} onBegun={begun} />
      )}
      {open === "delete" && <DeleteDialog transformation={transformation} onClose={() => setOpen(null)} />}
    </div>
  );
}

function DeleteDialog({ transformation, onClose }: { transformation: Transformation; onClose: () => void }) {
  const { id, name, schema_name, materialization } = transformation;
  const deletion = useDeleteTransformation();
  const navigate = useNavigate();
  const confirm = () =>
    deletion.mutate(id, {
      onSuccess: () => {
        onClose();
        toast("success", `${name} is deleted.`);
        void navigate({ to: "/transformations" });
      },
    });
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title={`Delete transformation ${name}?`}
      action="Delete transformation"
      isBusy={deletion.isPending}
      error={<ProblemAlert title="It was not deleted." error={deletion.error} />}
      onConfirm={confirm}
    >
      <p>
        Its SQL, its tests and its schedules go with it.
        {materialization !== "ephemeral" && ` What it made, ${schema_name}.${name}, stays in the database.`}
      </p>
    </ConfirmDialog>
  );
}
