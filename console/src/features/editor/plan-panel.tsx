// What a run would do: its segments, the operators of each block, what is sent to sources, what changes in schemas.
import { ListTree } from "lucide-react";
import type { PlannedSegment } from "@/api/pipeline-checks";
import { ProblemAlert } from "@/components/problem-state";
import { SchemaChanges } from "@/components/schema-changes";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";

interface PlanPanelProps {
  segments: PlannedSegment[] | undefined;
  error: unknown;
  isPending: boolean;
  onPlan: () => void;
  onSelect: (id: string) => void;
}

export function PlanPanel({ segments, error, isPending, onPlan, onSelect }: PlanPanelProps) {
  return (
    <div className="flex flex-col gap-3 p-3">
      <div className="flex items-center gap-3">
        <Button size="sm" variant="primary" isBusy={isPending} onClick={onPlan}>
          <ListTree aria-hidden /> Plan
        </Button>
        <span className="text-muted-foreground">
          Asks sources and targets what they have; nothing is touched.
        </span>
      </div>
      <ProblemAlert title="The plan could not be made." error={error} />
      {segments?.map((segment) => (
        <Card key={segment.segment} className="flex flex-col gap-2 p-4">
          <h3 className="flex flex-wrap items-center gap-2 font-semibold">
            {segment.segment}
            {segment.target && <Badge tone="accent">{segment.target.replaceAll("`", "")}</Badge>}
            {segment.after.length > 0 && <Badge>after {segment.after.join(", ")}</Badge>}
            {segment.inputs.length > 0 && <Badge>reads {segment.inputs.join(", ")}</Badge>}
          </h3>
          {segment.operators
            .filter(({ lines }) => lines.length > 0)
            .map(({ block, lines, partitions }) => (
              <div key={block ?? ""} className="grid grid-cols-[8rem_1fr] gap-3">
                <span className="flex flex-col items-start">
                  {!block ? (
                    <span className="text-muted-foreground">the target</span>
                  ) : (
                    <button
                      type="button"
                      onClick={() => onSelect(block)}
                      className="min-h-6 text-link hover:underline"
                    >
                      {block}
                    </button>
                  )}
                  <span className="text-xs text-muted-foreground">{partitions} at once</span>
                </span>
                <pre className="overflow-x-auto rounded-md bg-muted px-3 py-2 text-xs whitespace-pre-wrap">
                  {lines.join("\n")}
                </pre>
              </div>
            ))}
          {segment.mapping && segment.mapping.length > 0 && (
            <p className="flex flex-wrap gap-1.5 text-xs">
              <span className="text-muted-foreground">Written as:</span>
              {segment.mapping.map(([column, rule]) => (
                <span key={column} className="font-mono">
                  {column} <span className="text-muted-foreground">← {rule}</span>
                </span>
              ))}
            </p>
          )}
          {segment.columns.length > 0 && (
            <p className="flex flex-wrap gap-1.5 text-xs">
              <span className="text-muted-foreground">Columns:</span>
              {segment.columns.map(([name, type]) => (
                <span key={name} className="font-mono">
                  {name} <span className="text-muted-foreground">{type}</span>
                </span>
              ))}
            </p>
          )}
          {segment.schema_changes.length > 0 && (
            <div className="text-xs text-warning">
              Changed since it was read last:
              <SchemaChanges changes={segment.schema_changes} />
            </div>
          )}
        </Card>
      ))}
    </div>
  );
}
