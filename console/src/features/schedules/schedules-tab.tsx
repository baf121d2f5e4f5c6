// Schedules: what runs when.
import { useSuspenseInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { CalendarClock, Pencil, Plus, Trash2 } from "lucide-react";
import { useMemo, useState } from "react";
import { useMay } from "@/api/me";
import { type Schedule, schedulesQuery, useDeleteSchedule, useSaveSchedule } from "@/api/schedules";
import type { Target } from "@/components/params-fields";
import { ShowMore } from "@/components/show-more";
import { ThingMenu } from "@/components/thing-menu";
import { ProblemAlert } from "@/components/problem-state";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { type Column, DataTable } from "@/components/ui/data-table";
import { SearchInput } from "@/components/ui/input";
import { EmptyState } from "@/components/ui/states";
import { StatusBadge } from "@/components/ui/status-badge";
import { toast } from "@/components/ui/toast";
import { Switch } from "@/components/ui/toggle";
import { Tooltip } from "@/components/ui/tooltip";
import { Time } from "@/components/ui/values";
import { useShortcuts } from "@/lib/keys";
import { MISSED } from "./missed";
import { NextTimes } from "./next-times";
import { PlannedLoad } from "./planned-load";
import { ScheduleDialog } from "./schedule-dialog";
import { scheduleWritten } from "./written";

const route = getRouteApi("/app/schedules");

export function SchedulesTab() {
  const { q = "", sort, new: isNew, pipeline, transformation, edit } = route.useSearch();
  const navigate = route.useNavigate();
  const list = useSuspenseInfiniteQuery(schedulesQuery);
  const { data } = list;
  const may = useMay("edit");
  const [doomed, setDoomed] = useState<Schedule | null>(null);
  const remove = useDeleteSchedule();
  const change = (part: Partial<ReturnType<typeof route.useSearch>>) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true });
  const all = data.pages.flatMap((page) => page.schedules);
  const shown = all.filter((schedule) =>
    [schedule.target_name, schedule.text, schedule.cron_expression].some((text) =>
      text.toLowerCase().includes(q.toLowerCase()),
    ),
  );
  const edited = all.find((schedule) => schedule.id === edit) ?? null;
  const suggested: Target | null = transformation
    ? { type: "transformation", id: transformation }
    : pipeline
      ? { type: "pipeline", id: pipeline }
      : null;
  const create = () => may.allowed && change({ new: true });
  useShortcuts([{ keys: "n", label: "New schedule", run: create }]);
  const columns = useMemo(() => columnsOf(may.reason, setDoomed), [may.reason]);
  const button = (
    <Button variant="primary" refusal={may.reason} onClick={create}>
      <Plus aria-hidden /> New schedule
    </Button>
  );
  return (
    <div className="flex flex-col gap-5">
      {all.length === 0 ? (
        <EmptyState
          icon={CalendarClock}
          title="Nothing runs by itself yet: a schedule runs a pipeline or a transformation at the times that you choose."
          action={button}
          link={<Link to="/runs">What has run so far</Link>}
        />
      ) : (
        <>
          <PlannedLoad schedules={all} />
          <div className="flex flex-wrap items-center justify-between gap-3">
            <SearchInput
              label="Search schedules"
              className="w-full max-w-sm"
              value={q}
              onChange={(text) => change({ q: text || undefined })}
            />
            {button}
          </div>
          {shown.length === 0 ? (
            <EmptyState
              icon={CalendarClock}
              title="No schedule is like that."
              action={<Button onClick={() => change({ q: undefined })}>Show all</Button>}
            />
          ) : (
            <DataTable
              label="Schedules"
              rows={shown}
              columns={columns}
              rowId={(schedule) => schedule.id}
              sort={sort}
              onSort={(sort) => change({ sort })}
              onOpen={(schedule) => !schedule.in_file && may.allowed && change({ edit: schedule.id })}
            />
          )}
          <ShowMore pages={list} />
        </>
      )}
      {(isNew === true || edited) && (
        <ScheduleDialog
          key={edited?.id ?? "new"}
          schedule={edited}
          suggested={suggested}
          onClose={() =>
            change({ new: undefined, edit: undefined, pipeline: undefined, transformation: undefined })
          }
        />
      )}
      <ConfirmDialog
        isOpen={doomed !== null}
        onClose={() => setDoomed(null)}
        title={`Delete the schedule of ${doomed?.target_name ?? ""}?`}
        action="Delete schedule"
        isBusy={remove.isPending}
        onConfirm={() => doomed && remove.mutate(doomed.id, { onSuccess: () => setDoomed(null) })}
        error={<ProblemAlert title="The schedule could not be deleted." error={remove.error} />}
      >
        <p>{doomed?.text}: it does not run then any more. Runs under way go on, and what it ran stays.</p>
      </ConfirmDialog>
    </div>
  );
}

function columnsOf(
  refusal: string | null,
  onDelete: (schedule: Schedule) => void,
): readonly Column<Schedule>[] {
  const inFile = (schedule: Schedule) =>
    schedule.in_file ? "It stands in the pipeline's file: change it there." : null;
  return [
    {
      id: "target",
      header: "What runs",
      sortBy: (schedule) => schedule.target_name,
      cell: (schedule) => (
        <span className="font-medium">
          {schedule.target_name}
          {schedule.until && (
            <span className="font-normal text-muted-foreground"> up to {schedule.until}</span>
          )}
          {schedule.target_type === "transformation" && (
            <span className="block text-xs font-normal text-muted-foreground">
              transformation{schedule.with_upstream && ", after what it needs"}
            </span>
          )}
        </span>
      ),
    },
    {
      id: "when",
      header: "When",
      sortBy: (schedule) => schedule.text,
      cell: (schedule) => (
        <span>
          {schedule.text}
          <span className="block font-mono text-xs text-muted-foreground">
            {schedule.cron_expression} · {schedule.timezone}
          </span>
        </span>
      ),
    },
    {
      id: "next",
      header: "Next",
      sortBy: (schedule) => schedule.next_run_at ?? "9",
      cell: (schedule) => (
        <Tooltip text={<NextTimes times={schedule.next_runs} timezone={schedule.timezone} />}>
          <span>
            <Time at={schedule.next_run_at} none={schedule.is_active ? "pipeline is not active" : "off"} />
            {schedule.waiting > 0 && <span className="text-warning"> · {schedule.waiting} waiting</span>}
          </span>
        </Tooltip>
      ),
    },
    {
      id: "last",
      header: "Last run",
      cell: ({ last_run: last }) =>
        last ? (
          <Link to="/runs/$run" params={{ run: last.id }} className="inline-flex items-center gap-2">
            <StatusBadge status={last.status} />
          </Link>
        ) : (
          <span className="text-muted-foreground">never</span>
        ),
    },
    {
      id: "missed",
      header: "Missed times",
      className: "hidden xl:table-cell",
      cell: (schedule) => MISSED[schedule.missed],
    },
    { id: "on", header: "On", cell: (schedule) => <OnOff schedule={schedule} refusal={refusal} /> },
    {
      id: "acts",
      header: "Actions",
      align: "right",
      cell: (schedule) => (
        <span className="inline-flex gap-1 whitespace-nowrap">
          <Button
            asChild={!refusal && !schedule.in_file}
            size="icon"
            variant="ghost"
            aria-label={`Edit the schedule of ${schedule.target_name}`}
            refusal={refusal ?? inFile(schedule)}
          >
            {refusal || schedule.in_file ? (
              <Pencil aria-hidden />
            ) : (
              <Link
                from="/schedules"
                to="/schedules"
                search={(before) => ({ ...before, edit: schedule.id })}
                aria-label={`Edit the schedule of ${schedule.target_name}`}
              >
                <Pencil aria-hidden />
              </Link>
            )}
          </Button>
          <Button
            size="icon"
            variant="ghost"
            aria-label={`Delete the schedule of ${schedule.target_name}`}
            refusal={refusal ?? inFile(schedule)}
            onClick={() => onDelete(schedule)}
          >
            <Trash2 aria-hidden />
          </Button>
          <ThingMenu name={`the schedule of ${schedule.target_name}`} written={scheduleWritten(schedule)} />
        </span>
      ),
    },
  ];
}

function OnOff({ schedule, refusal }: { schedule: Schedule; refusal: string | null }) {
  const save = useSaveSchedule();
  // What was asked for is shown at once; it can be switched back.
  const isOn = save.isPending ? (save.variables.is_active ?? schedule.is_active) : schedule.is_active;
  return (
    <Switch
      isOn={isOn}
      isLabelHidden
      label={`Schedule of ${schedule.target_name}: ${schedule.text}`}
      disabled={refusal !== null}
      onChange={(is_active) =>
        save.mutate(
          { id: schedule.id, is_active },
          { onError: (error) => toast("danger", `The schedule was not switched: ${error.message}.`) },
        )
      }
    />
  );
}
