// What came of a run's blocks: what they made, tests of it, and how sources have changed.
import { CircleCheck, CircleX, TriangleAlert } from "lucide-react";
import type { RunDetail } from "@/api/runs";
import { SchemaChanges } from "@/components/schema-changes";
import { Badge } from "@/components/ui/badge";
import { Card, Section } from "@/components/ui/card";
import { type Column, DataTable } from "@/components/ui/data-table";
import { StatusBadge } from "@/components/ui/status-badge";
import { Bytes, Count } from "@/components/ui/values";

type Task = RunDetail["tasks"][number];
type Test = RunDetail["view"]["tests"][number];

const none = <span className="text-muted-foreground">–</span>;

const columns: readonly Column<Task>[] = [
  { id: "block", header: "Block", cell: (task) => <span className="font-medium">{task.block_id}</span> },
  { id: "status", header: "State", cell: (task) => <StatusBadge status={task.status} /> },
  {
    id: "where",
    header: "Where it lies",
    cell: ({ output_metadata: made }) =>
      made ? (
        <Badge tone={made.is_published ? "success" : "neutral"}>
          {made.is_published ? "In its target" : "Between blocks"}
        </Badge>
      ) : (
        none
      ),
  },
  {
    id: "rows",
    header: "Rows",
    align: "right",
    cell: ({ output_metadata: made }) => (made ? <Count value={made.rows} /> : none),
  },
  {
    id: "bytes",
    header: "Bytes",
    align: "right",
    cell: ({ output_metadata: made }) => (made ? <Bytes value={made.bytes} /> : none),
  },
  {
    id: "parts",
    header: "Parts",
    align: "right",
    cell: ({ output_metadata: made }) => (made ? <Count value={made.parts} /> : none),
  },
];

export function RunData({ run }: { run: RunDetail }) {
  const { tests, schema_changes: changes } = run.view;
  return (
    <div className="flex flex-col gap-6">
      <DataTable
        label="What blocks made"
        rows={run.tasks}
        columns={columns}
        rowId={(task) => task.block_id}
      />
      {tests.length > 0 && (
        <Section title="Tests">
          <ul className="grid gap-3 lg:grid-cols-2">
            {tests.map((test) => (
              <li key={`${test.block} ${test.test}`}>
                <Tested test={test} />
              </li>
            ))}
          </ul>
        </Section>
      )}
      {changes.length > 0 && (
        <Section title="Changes of sources">
          <Card className="p-4">
            <SchemaChanges changes={changes} />
          </Card>
        </Section>
      )}
    </div>
  );
}

function Tested({ test }: { test: Test }) {
  const isWarning = !test.passed && test.severity === "warn";
  const Icon = test.passed ? CircleCheck : isWarning ? TriangleAlert : CircleX;
  const tone = test.passed ? "text-success" : isWarning ? "text-warning" : "text-danger";
  return (
    <Card className="flex h-full gap-3 p-4">
      <Icon aria-hidden className={`mt-0.5 size-4 shrink-0 ${tone}`} />
      <div className="min-w-0">
        <p className="font-medium">
          {test.test} <span className="font-normal text-muted-foreground">in {test.block}</span>
        </p>
        <p className={tone}>
          {test.passed ? "Passed" : `${isWarning ? "Warns" : "Failed"}: ${test.failures} rows break it`}
        </p>
        {test.samples.length > 0 && (
          <ul className="mt-1 font-mono text-xs break-words text-muted-foreground">
            {test.samples.map((sample, index) => (
              <li key={index}>{sample}</li>
            ))}
          </ul>
        )}
      </div>
    </Card>
  );
}
