// How far incremental reads of the pipeline have come, and whether this run took them there.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Pencil, RotateCcw } from "lucide-react";
import { useState } from "react";
import { useMay } from "@/api/me";
import { pipelineStateQuery, type StateItem, useForgetState } from "@/api/pipeline-state";
import type { RunDetail } from "@/api/runs";
import { ProblemAlert, ProblemState } from "@/components/problem-state";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { type Column, DataTable } from "@/components/ui/data-table";
import { Skeleton } from "@/components/ui/states";
import { Time } from "@/components/ui/values";
import { StateDialog } from "./state-dialog";

export function RunState({ run }: { run: RunDetail }) {
  if (!run.pipeline_id)
    return <Nothing text="The file of this run is not kept here, so that it has no state that lasts." />;
  return <Known run={run} pipeline={run.pipeline_id} />;
}

function Known({ run, pipeline }: { run: RunDetail; pipeline: string }) {
  const { data, error, refetch } = useQuery(pipelineStateQuery(pipeline));
  const may = useMay("edit");
  const forget = useForgetState(pipeline);
  const [doomed, setDoomed] = useState<StateItem | null>(null);
  const [changed, setChanged] = useState<StateItem | null>(null);
  if (error)
    return (
      <ProblemState title="The state could not be loaded." error={error} onRetry={() => void refetch()} />
    );
  if (!data) return <Skeleton className="h-40 rounded-xl" />;
  if (data.length === 0)
    return <Nothing text="No block of this pipeline reads only what is new: each run reads everything." />;
  return (
    <div className="flex flex-col gap-3">
      <DataTable
        label="How far incremental reads have come"
        rows={data}
        columns={columnsOf(run.id, may.reason, { onChange: setChanged, onForget: setDoomed })}
        rowId={(item) => item.block}
      />
      <p className="text-xs text-muted-foreground">
        As it is now: the next run reads what is greater. It moves once what was read is loaded.
      </p>
      {changed && <StateDialog pipeline={pipeline} item={changed} onClose={() => setChanged(null)} />}
      <ConfirmDialog
        isOpen={doomed !== null}
        onClose={() => setDoomed(null)}
        title={`Let ${doomed?.block ?? ""} read from the beginning?`}
        action="Forget how far it came"
        isBusy={forget.isPending}
        onConfirm={() => doomed && forget.mutate(doomed.block, { onSuccess: () => setDoomed(null) })}
        error={<ProblemAlert title="It could not be forgotten." error={forget.error} />}
      >
        <p>
          The next run of {run.pipeline} reads all rows of {doomed?.block} again instead of those after{" "}
          <code className="font-mono">{doomed?.value}</code>.
        </p>
      </ConfirmDialog>
    </div>
  );
}

function Nothing({ text }: { text: string }) {
  return <Card className="px-4 py-10 text-center text-muted-foreground">{text}</Card>;
}

function columnsOf(
  run: string,
  refusal: string | null,
  { onChange, onForget }: Record<"onChange" | "onForget", (item: StateItem) => void>,
): readonly Column<StateItem>[] {
  return [
    { id: "block", header: "Block", cell: (item) => <span className="font-medium">{item.block}</span> },
    { id: "column", header: "Read by", cell: (item) => <code className="font-mono">{item.column}</code> },
    {
      id: "value",
      header: "Came to",
      cell: (item) => (
        <span className="font-mono">
          {item.value} <span className="text-xs text-muted-foreground">{item.data_type}</span>
        </span>
      ),
    },
    { id: "moved", header: "Moved", cell: (item) => <Time at={item.moved_at} /> },
    {
      id: "run",
      header: "By",
      cell: (item) => {
        if (!item.run_id) return "a person";
        if (item.run_id === run) return "this run";
        return (
          <Link to="/runs/$run" params={{ run: item.run_id }} className="text-link hover:underline">
            another run
          </Link>
        );
      },
    },
    {
      id: "acts",
      header: "Actions",
      align: "right",
      cell: (item) => (
        <span className="whitespace-nowrap">
          <Button
            size="icon"
            variant="ghost"
            aria-label={`Change from where ${item.block} reads`}
            refusal={refusal}
            onClick={() => onChange(item)}
          >
            <Pencil aria-hidden />
          </Button>
          <Button
            size="icon"
            variant="ghost"
            aria-label={`Let ${item.block} read from the beginning`}
            refusal={refusal}
            onClick={() => onForget(item)}
          >
            <RotateCcw aria-hidden />
          </Button>
        </span>
      ),
    },
  ];
}
