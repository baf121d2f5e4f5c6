// Triggers: what begins runs when something happens.
import { useSuspenseInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { FolderInput, History, Pencil, Plus, Trash2, Webhook, Workflow, X } from "lucide-react";
import { useState } from "react";
import { useMay } from "@/api/me";
import { type Trigger, triggersQuery, useChangeTrigger, useDeleteTrigger } from "@/api/triggers";
import { ProblemAlert } from "@/components/problem-state";
import { ShowMore } from "@/components/show-more";
import { ThingMenu } from "@/components/thing-menu";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { type Column, DataTable } from "@/components/ui/data-table";
import { MenuItem } from "@/components/ui/menu";
import { EmptyState } from "@/components/ui/states";
import { toast } from "@/components/ui/toast";
import { Switch } from "@/components/ui/toggle";
import { Time } from "@/components/ui/values";
import { useShortcuts } from "@/lib/keys";
import { TriggerDialog } from "./trigger-dialog";
import { TriggerDrawer } from "./trigger-drawer";
import { nameOf } from "./trigger-words";
import { triggerWritten } from "./written";

const route = getRouteApi("/app/schedules");

export function TriggersTab() {
  const { new: isNew, pipeline, edit: opened, sort } = route.useSearch();
  const navigate = route.useNavigate();
  const list = useSuspenseInfiniteQuery(triggersQuery(pipeline));
  const { data } = list;
  const [edit, remove] = [useMay("edit"), useMay("delete")];
  const [doomed, setDoomed] = useState<Trigger | null>(null);
  const [changed, setChanged] = useState<Trigger | null>(null);
  const triggers = data.pages.flatMap((page) => page.triggers);
  const change = (part: Partial<ReturnType<typeof route.useSearch>>) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true });
  const create = () => edit.allowed && change({ new: true });
  useShortcuts([{ keys: "n", label: "New trigger", run: create }]);
  const button = (
    <Button variant="primary" refusal={edit.reason} onClick={create}>
      <Plus aria-hidden /> New trigger
    </Button>
  );
  const columns: readonly Column<Trigger>[] = [
    {
      id: "begins",
      header: "Begins",
      sortBy: ({ kind }) => kind,
      cell: (trigger) => <Begins trigger={trigger} />,
    },
    {
      id: "target",
      header: "Runs",
      sortBy: ({ target_name }) => target_name,
      cell: ({ target_id, target_name, until }) => (
        <>
          <Link
            to="/pipelines/$pipeline"
            params={{ pipeline: target_id }}
            className="font-medium underline-offset-4 hover:underline"
          >
            {target_name}
          </Link>
          {until && <span className="text-muted-foreground"> up to {until}</span>}
        </>
      ),
    },
    {
      id: "last",
      header: "Last event",
      className: "max-md:hidden",
      sortBy: ({ last_fired_at }) => last_fired_at ?? "",
      cell: ({ last_fired_at, waiting }) => (
        <>
          <Time at={last_fired_at} none="none yet" />
          {waiting > 0 && <span className="text-warning"> · {waiting} waiting</span>}
        </>
      ),
    },
    { id: "on", header: "On", cell: (trigger) => <OnOff trigger={trigger} refusal={edit.reason} /> },
    {
      id: "acts",
      header: "Actions",
      align: "right",
      cell: (trigger) => (
        <ThingMenu name={nameOf(trigger)} written={triggerWritten(trigger)}>
          <MenuItem icon={History} onSelect={() => change({ edit: trigger.id })}>
            Events
          </MenuItem>
          <MenuItem icon={Pencil} refusal={edit.reason} onSelect={() => setChanged(trigger)}>
            Change…
          </MenuItem>
          <MenuItem icon={Trash2} isDangerous refusal={remove.reason} onSelect={() => setDoomed(trigger)}>
            Delete…
          </MenuItem>
        </ThingMenu>
      ),
    },
  ];
  const close = () => change({ new: undefined, edit: undefined });
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap items-center justify-between gap-3">
        {pipeline === undefined ? (
          <p className="text-muted-foreground">Each event gets one run.</p>
        ) : (
          <Button size="sm" onClick={() => change({ pipeline: undefined })}>
            <X aria-hidden /> Of one pipeline: show all
          </Button>
        )}
        {triggers.length > 0 && button}
      </div>
      {triggers.length === 0 ? (
        <EmptyState
          icon={Webhook}
          title="A trigger runs a pipeline when an address is called, when files arrive, or once other pipelines have succeeded."
          action={button}
          link={
            <Link to="/schedules" search={{}}>
              Run it at certain times instead
            </Link>
          }
        />
      ) : (
        <DataTable
          label="Triggers"
          rows={triggers}
          columns={columns}
          rowId={({ id }) => id}
          sort={sort}
          onSort={(sort) => change({ sort })}
          onOpen={({ id }) => change({ edit: id })}
        />
      )}
      <ShowMore pages={list} />
      {isNew === true && <TriggerDialog trigger={null} pipeline={pipeline} onClose={close} />}
      {changed && <TriggerDialog trigger={changed} pipeline={undefined} onClose={() => setChanged(null)} />}
      {opened !== undefined && <TriggerDrawer id={opened} onClose={close} />}
      {doomed && <DeleteDialog trigger={doomed} onClose={() => setDoomed(null)} />}
    </div>
  );
}

const ICONS = { webhook: Webhook, upstream: Workflow, files: FolderInput };

function Begins({ trigger: { kind, upstream, place } }: { trigger: Trigger }) {
  const Icon = ICONS[kind];
  const words = {
    webhook: "When its address is called",
    upstream: `After ${upstream.map(({ upstream_name }) => upstream_name).join(", ")}`,
    files: `When files arrive at ${place ?? "its place"}`,
  };
  return (
    <span className="flex items-center gap-2.5">
      <Icon aria-hidden className="size-4 shrink-0 text-link" />
      {words[kind]}
    </span>
  );
}

function OnOff({ trigger, refusal }: { trigger: Trigger; refusal: string | null }) {
  const change = useChangeTrigger();
  // What was asked for is shown at once; it can be switched back.
  const isOn = change.isPending ? (change.variables.is_active ?? trigger.is_active) : trigger.is_active;
  return (
    <Switch
      isOn={isOn}
      isLabelHidden
      label={nameOf(trigger)}
      disabled={refusal !== null}
      onChange={(is_active) =>
        change.mutate(
          { id: trigger.id, is_active },
          { onError: ({ message }) => toast("danger", `The trigger was not switched: ${message}.`) },
        )
      }
    />
  );
}

function DeleteDialog({ trigger, onClose }: { trigger: Trigger; onClose: () => void }) {
  const remove = useDeleteTrigger();
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title={`Delete ${nameOf(trigger)}?`}
      action="Delete trigger"
      onConfirm={() => remove.mutate(trigger.id, { onSuccess: onClose })}
      isBusy={remove.isPending}
      error={<ProblemAlert title="The trigger was not deleted." error={remove.error} />}
    >
      <p>
        {trigger.kind === "webhook" && "Its address answers nobody any more. "}
        Events that wait for their run are forgotten; runs under way go on, and the pipeline stays.
      </p>
    </ConfirmDialog>
  );
}
