// The first rows that come out of a block, and what they tell of its columns; nothing is written to show them.
import { ChartColumn, Eye, ShieldCheck } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import type { Rows } from "@/api/pipeline-checks";
import { ProblemAlert } from "@/components/problem-state";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Select } from "@/components/ui/select";
import { Skeleton } from "@/components/ui/states";
import { plural } from "@/lib/format";
import type { Graph } from "./graph";
import { SampleTable } from "./sample-table";

// It comes when it is looked at first.
const ProfileTable = lazy(() =>
  import("./profile-table").then(({ ProfileTable }) => ({ default: ProfileTable })),
);

export interface Preview {
  block: string;
  rows: Rows | undefined;
  error: unknown;
  isPending: boolean;
}

interface PreviewPanelProps {
  graph: Graph;
  selected: string | null;
  preview: Preview | null;
  onPreview: (block: string, limit: number) => void;
}

const LIMITS = ["10", "50", "100"] as const;

export function PreviewPanel({ graph, selected, preview, onPreview }: PreviewPanelProps) {
  const [limit, setLimit] = useState<string>("50");
  const [isProfile, setProfile] = useState(false);
  const giving = graph.blocks.filter(({ kind }) => kind?.output !== null);
  const block = selected ?? preview?.block ?? giving.at(-1)?.id ?? null;
  return (
    <div className="flex h-full flex-col gap-2 p-3">
      <div className="flex flex-wrap items-center gap-2">
        <Button
          size="sm"
          variant="primary"
          isBusy={preview?.isPending ?? false}
          disabled={block === null}
          onClick={() => block !== null && onPreview(block, Number(limit))}
        >
          <Eye aria-hidden /> Preview to {block ?? "here"}
        </Button>
        <Select
          label="Rows"
          value={limit}
          choices={LIMITS.map((value) => ({ value, label: `${value} rows` }))}
          onChange={setLimit}
          className="h-8"
        />
        <Button
          size="sm"
          aria-pressed={isProfile}
          className={isProfile ? "bg-accent text-accent-foreground" : ""}
          onClick={() => setProfile(!isProfile)}
        >
          <ChartColumn aria-hidden /> Profile
        </Button>
        <Badge tone="success">
          <ShieldCheck aria-hidden /> No writes
        </Badge>
        {preview?.rows && !preview.isPending && (
          <span role="status" className="text-muted-foreground">
            {plural(preview.rows.rows.length, "row")} of {preview.block}
            {preview.rows.incomplete && ", cut by the limits of time and size"}
            {isProfile && ": the profile is of these alone"}
          </span>
        )}
      </div>
      <ProblemAlert
        title={`The rows of ${preview?.block ?? "the block"} could not be shown.`}
        error={preview?.error}
      />
      {preview?.rows && !preview.error && !isProfile && (
        <RowsTable rows={preview.rows} label={`Rows of ${preview.block}`} />
      )}
      {preview?.rows && !preview.error && isProfile && (
        <Suspense fallback={<Skeleton className="min-h-0 flex-1" />}>
          <ProfileTable rows={preview.rows} label={`Profile of the rows of ${preview.block}`} />
        </Suspense>
      )}
      {!preview && (
        <p className="text-muted-foreground">
          Reads what the block needs and shows its first rows. Nothing is written anywhere.
        </p>
      )}
    </div>
  );
}

function RowsTable({ rows, label }: { rows: Rows; label: string }) {
  return (
    <SampleTable label={label}>
      <thead className="sticky top-0 bg-card">
        <tr className="border-b border-border">
          {rows.columns.map(({ name, type }) => (
            <th key={name} scope="col" className="px-3 py-1.5 text-left font-medium whitespace-nowrap">
              {name} <span className="font-normal text-muted-foreground">{type}</span>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.rows.map((row, index) => (
          <tr key={index} className="border-b border-border last:border-0 hover:bg-muted/60">
            {row.map((value, column) => (
              <td key={column} className="max-w-72 truncate px-3 py-1 font-mono" title={value ?? undefined}>
                {value ?? <span className="text-muted-foreground italic">null</span>}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </SampleTable>
  );
}
