// The rows that a run could not read: where each stands in its source, why it was put aside, and what it holds.
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Download, LockKeyhole } from "lucide-react";
import { useMay } from "@/api/me";
import { isUnderWay } from "@/api/run-live";
import { type QuarantinedRow, quarantineQuery, quarantineText } from "@/api/run-quarantine";
import type { RunDetail } from "@/api/runs";
import { ProblemState } from "@/components/problem-state";
import { ShowMore } from "@/components/show-more";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { type Column, DataTable } from "@/components/ui/data-table";
import { Select } from "@/components/ui/select";
import { EmptyState, Skeleton } from "@/components/ui/states";
import { toast } from "@/components/ui/toast";
import { Words } from "@/components/words";
import { plural } from "@/lib/format";
import { saveFile } from "@/lib/save-file";

const route = getRouteApi("/app/runs/$run");

interface Row extends QuarantinedRow {
  /** Its place among those that are shown. */
  at: number;
}

const columns: readonly Column<Row>[] = [
  { id: "block", header: "Block", cell: ({ block }) => <span className="font-medium">{block}</span> },
  {
    id: "where",
    header: "Where",
    cell: ({ location }) => <span className="whitespace-nowrap">{location}</span>,
  },
  { id: "reason", header: "Why", cell: ({ reason }) => <Words text={reason} /> },
  {
    id: "row",
    header: "What it holds",
    cell: ({ row, location }) => (
      <span className="flex items-center gap-1">
        <code className="block max-w-[28rem] truncate font-mono text-xs" title={row}>
          {row}
        </code>
        <CopyButton text={row} label={`Copy the row of ${location}`} />
      </span>
    ),
  },
];

/** How many rows a run's blocks have put aside, by block. */
export function putAside(run: RunDetail): ReadonlyMap<string, number> {
  const counts = Object.entries(run.view.blocks).map(([id, block]) => [id, block.rows_quarantined] as const);
  return new Map(counts.filter(([, rows]) => rows > 0));
}

export function RunQuarantine({ run }: { run: RunDetail }) {
  const may = useMay("edit");
  const aside = putAside(run);
  if (may.reason !== null) return <EmptyState icon={LockKeyhole} title={may.reason} />;
  const count = [...aside.values()].reduce((sum, rows) => sum + rows, 0);
  return (
    <div className="flex flex-col gap-4">
      <p className="max-w-3xl text-muted-foreground">
        {plural(count, "row")} could not be read and {count === 1 ? "was" : "were"} put aside
        {run.status === "success" ? "; all others went on" : ""}. Mend them in the source, or change the types
        of the extract, and run it again. They are kept for 90 days.
      </p>
      <Rows run={run} blocks={[...aside.keys()]} />
    </div>
  );
}

function Rows({ run, blocks }: { run: RunDetail; blocks: readonly string[] }) {
  const { block } = route.useSearch();
  const navigate = route.useNavigate();
  const chosen = blocks.find((id) => id === block);
  const found = useInfiniteQuery(quarantineQuery(run, chosen));
  const download = useMutation({
    mutationFn: () => quarantineText(run.id),
    onSuccess: (text) => saveFile(`${run.pipeline}-${run.id}-quarantine.ndjson`, text),
    onError: (error) => toast("danger", `The rows could not be downloaded: ${error.message}.`),
  });
  if (found.isError)
    return (
      <ProblemState
        title="The rows could not be loaded."
        error={found.error}
        onRetry={() => void found.refetch()}
      />
    );
  if (found.isPending) return <Skeleton className="h-64 rounded-xl" />;
  const rows = found.data.pages.flatMap((page) => page.rows).map((row, at): Row => ({ ...row, at }));
  return (
    <>
      <div className="flex flex-wrap items-center justify-between gap-2">
        {blocks.length > 1 ? (
          <Select
            label="Block"
            value={chosen ?? ""}
            choices={[{ value: "", label: "All blocks" }, ...blocks.map((id) => ({ value: id, label: id }))]}
            onChange={(id) =>
              void navigate({ search: (before) => ({ ...before, block: id || undefined }), replace: true })
            }
          />
        ) : (
          <span />
        )}
        <Button isBusy={download.isPending} onClick={() => download.mutate()}>
          <Download aria-hidden /> Download all
        </Button>
      </div>
      {rows.length > 0 ? (
        <DataTable label="Rows in quarantine" rows={rows} columns={columns} rowId={({ at }) => String(at)} />
      ) : (
        <p className="text-muted-foreground">
          {isUnderWay(run) ? "They are shown once their block has ended." : "They are not kept any more."}
        </p>
      )}
      <ShowMore pages={found} />
    </>
  );
}
