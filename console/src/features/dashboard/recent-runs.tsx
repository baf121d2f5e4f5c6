// The last runs.
import { Link, useNavigate } from "@tanstack/react-router";
import type { Schemas } from "@/api/types";
import { Card } from "@/components/ui/card";
import { type Column, DataTable } from "@/components/ui/data-table";
import { StatusBadge } from "@/components/ui/status-badge";
import { Count, Duration, Time } from "@/components/ui/values";

type Run = Schemas["RunItem"];

const columns: readonly Column<Run>[] = [
  {
    id: "pipeline",
    header: "Pipeline",
    cell: (run) => (
      <Link to="/runs/$run" params={{ run: run.id }} className="font-medium hover:underline">
        {run.pipeline}
      </Link>
    ),
  },
  { id: "status", header: "Status", cell: (run) => <StatusBadge status={run.status} /> },
  { id: "started", header: "Started", cell: (run) => <Time at={run.started_at} /> },
  { id: "duration", header: "Duration", cell: (run) => <Duration seconds={run.duration_seconds} /> },
  { id: "rows", header: "Rows loaded", align: "right", cell: (run) => <Count value={run.rows_loaded} /> },
];

export function RecentRuns({ runs }: { runs: Run[] }) {
  const navigate = useNavigate();
  const open = ({ id }: Run) => void navigate({ to: "/runs/$run", params: { run: id } });
  if (runs.length === 0)
    return (
      <Card className="flex flex-col items-center gap-2 px-4 py-8 text-muted-foreground">
        Nothing has run yet.
        <Link to="/pipelines" className="text-link underline-offset-4 hover:underline">
          Run a pipeline
        </Link>
      </Card>
    );
  return (
    <DataTable label="Recent runs" rows={runs} columns={columns} rowId={(run) => run.id} onOpen={open} />
  );
}
