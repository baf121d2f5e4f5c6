// Above the canvas: how the pipeline stands, undoing, keeping, its past, and running it.
import { Link, useNavigate } from "@tanstack/react-router";
import {
  CalendarPlus,
  ChevronLeft,
  CloudCheck,
  History,
  ListStart,
  LoaderCircle,
  Play,
  Redo2,
  Rocket,
  Save,
  TriangleAlert,
  Undo2,
  Webhook,
} from "lucide-react";
import type { PipelineDetail } from "@/api/pipeline-files";
import type { Permission } from "@/api/me";
import { pipelineWritten } from "@/components/pipeline-written";
import { ThingMenu } from "@/components/thing-menu";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { MenuItem } from "@/components/ui/menu";
import { StatusBadge } from "@/components/ui/status-badge";
import { Tooltip } from "@/components/ui/tooltip";
import { LastRun } from "./last-run";
import type { Editing } from "./use-draft";
import type { Saving } from "./use-saving";

interface ToolbarProps {
  detail: PipelineDetail;
  editing: Editing;
  saving: Saving;
  edit: Permission;
  run: Permission;
  isStarting: boolean;
  onSave: () => void;
  onPublish: () => void;
  onRevisions: () => void;
  onRun: () => void;
  /** Asks what the run is told first. */
  onRunWith: () => void;
}

export function Toolbar(props: ToolbarProps) {
  const { detail, editing, saving, edit, run, isStarting, onSave, onPublish, onRevisions, onRun, onRunWith } =
    props;
  const navigate = useNavigate();
  const isDraft = detail.status === "draft";
  const problems = editing.checked?.problems.length ?? 0;
  return (
    <header className="flex min-h-14 flex-wrap items-center gap-x-3 gap-y-2 border-b border-border bg-card px-3 py-2">
      <Tooltip text="All pipelines">
        <Link
          to="/pipelines"
          aria-label="All pipelines"
          className="grid size-8 place-items-center rounded-md hover:bg-muted"
        >
          <ChevronLeft aria-hidden className="size-4" />
        </Link>
      </Tooltip>
      <h1 className="max-w-72 truncate text-lg font-semibold tracking-tight">{detail.name}</h1>
      <StatusBadge status={detail.status} />
      <SaveState isDraft={isDraft} saving={saving} revision={detail.revision} />
      <LastRun detail={detail} />
      <div className="ml-auto flex flex-wrap items-center gap-1.5">
        <Tooltip text="Undo (Ctrl+Z)">
          <Button
            size="icon"
            variant="ghost"
            aria-label="Undo"
            disabled={!editing.canUndo}
            onClick={editing.undo}
          >
            <Undo2 aria-hidden />
          </Button>
        </Tooltip>
        <Tooltip text="Redo (Ctrl+Shift+Z)">
          <Button
            size="icon"
            variant="ghost"
            aria-label="Redo"
            disabled={!editing.canRedo}
            onClick={editing.redo}
          >
            <Redo2 aria-hidden />
          </Button>
        </Tooltip>
        <Button size="sm" variant="ghost" onClick={onRevisions}>
          <History aria-hidden /> Revisions
        </Button>
        {isDraft ? (
          <Button
            size="sm"
            refusal={
              edit.reason ?? (problems > 0 ? "Something is wrong with the file still: see Problems." : null)
            }
            onClick={onPublish}
          >
            <Rocket aria-hidden /> Activate
          </Button>
        ) : (
          <Button
            size="sm"
            refusal={edit.reason}
            disabled={!saving.isDirty}
            isBusy={saving.isSaving}
            onClick={onSave}
          >
            <Save aria-hidden /> Save
          </Button>
        )}
        <Button size="sm" variant="primary" refusal={run.reason} isBusy={isStarting} onClick={onRun}>
          <Play aria-hidden /> Run
        </Button>
        <ThingMenu isPage name={detail.name} written={pipelineWritten(detail)}>
          <MenuItem
            icon={ListStart}
            refusal={run.reason ?? (isDraft ? "A draft is activated before it runs." : null)}
            onSelect={onRunWith}
          >
            Run with…
          </MenuItem>
          <MenuItem
            icon={CalendarPlus}
            refusal={edit.reason}
            onSelect={() => void navigate({ to: "/schedules", search: { new: true, pipeline: detail.id } })}
          >
            New schedule
          </MenuItem>
          <MenuItem
            icon={Webhook}
            onSelect={() =>
              void navigate({ to: "/schedules", search: { tab: "triggers", pipeline: detail.id } })
            }
          >
            Triggers
          </MenuItem>
        </ThingMenu>
      </div>
    </header>
  );
}

function SaveState({ isDraft, saving, revision }: { isDraft: boolean; saving: Saving; revision: number }) {
  if (saving.error)
    return (
      <Badge tone="danger" role="status">
        <TriangleAlert aria-hidden /> Not saved
      </Badge>
    );
  if (saving.isSaving || (isDraft && saving.isDirty))
    return (
      <Badge role="status">
        <LoaderCircle aria-hidden className="animate-spin motion-reduce:animate-none" /> Saving…
      </Badge>
    );
  if (saving.isDirty)
    return (
      <Badge tone="warning" role="status">
        Changes not saved
      </Badge>
    );
  return (
    <Badge role="status">
      <CloudCheck aria-hidden />
      <span>
        Saved<span className="max-lg:sr-only"> · revision {revision}</span>
      </span>
    </Badge>
  );
}
