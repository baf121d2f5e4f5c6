// The pipeline's past: every revision, how it differs from the one before, and bringing it back.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { RotateCcw } from "lucide-react";
import { useState } from "react";
import {
  differenceQuery,
  type PipelineDetail,
  type Revision,
  revisionsQuery,
  useRestore,
} from "@/api/pipeline-files";
import type { Permission } from "@/api/me";
import { ProblemAlert } from "@/components/problem-state";
import { ShowMore } from "@/components/show-more";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Drawer } from "@/components/ui/dialog";
import { Skeleton } from "@/components/ui/states";
import { Time } from "@/components/ui/values";
import { cn } from "@/lib/cn";

interface RevisionsProps {
  detail: PipelineDetail;
  edit: Permission;
  isDirty: boolean;
  onClose: () => void;
  onRestored: (detail: PipelineDetail) => void;
}

export function Revisions({ detail, edit, isDirty, onClose, onRestored }: RevisionsProps) {
  const list = useInfiniteQuery(revisionsQuery(detail.id));
  const { data, error } = list;
  const [open, setOpen] = useState(detail.revision);
  const [wanted, setWanted] = useState<number | null>(null);
  const restore = useRestore(detail.id);
  const revisions = data?.pages.flat() ?? [];
  return (
    <Drawer
      isOpen
      onClose={onClose}
      title="Revisions"
      description={`Every state that ${detail.name} was in, the newest first.`}
      className="w-[min(46rem,100vw)]"
    >
      <ProblemAlert title="The revisions could not be loaded." error={error} />
      {!data && !error && <Skeleton className="h-40" />}
      <ol className="flex flex-col">
        {revisions.map((revision) => (
          <Entry
            key={revision.number}
            revision={revision}
            pipeline={detail.id}
            isNow={revision.number === detail.revision}
            isOpen={open === revision.number}
            onOpen={() => setOpen(open === revision.number ? 0 : revision.number)}
            onRestore={() => setWanted(revision.number)}
            edit={edit}
          />
        ))}
      </ol>
      <ShowMore pages={list}>Older ones</ShowMore>
      <ConfirmDialog
        isOpen={wanted !== null}
        onClose={() => setWanted(null)}
        title={`Restore revision ${wanted ?? ""}?`}
        action="Bring it back"
        isBusy={restore.isPending}
        error={<ProblemAlert title="It was not brought back." error={restore.error} />}
        onConfirm={() => {
          if (wanted === null) return;
          restore.mutate(
            { number: wanted, revision: detail.revision },
            {
              onSuccess: (saved) => {
                setWanted(null);
                onRestored(saved);
              },
            },
          );
        }}
      >
        <p>It becomes a new revision; those in between stay in this list.</p>
        {isDirty && <p className="text-warning">Changes that are not saved are dropped.</p>}
      </ConfirmDialog>
    </Drawer>
  );
}

interface EntryProps {
  revision: Revision;
  pipeline: string;
  isNow: boolean;
  isOpen: boolean;
  onOpen: () => void;
  onRestore: () => void;
  edit: Permission;
}

function Entry({ revision, pipeline, isNow, isOpen, onOpen, onRestore, edit }: EntryProps) {
  const { number, message, created_at, is_valid, restored } = revision;
  return (
    <li className="border-b border-border py-2 last:border-0">
      <div className="flex items-center gap-3">
        <button
          type="button"
          aria-expanded={isOpen}
          onClick={onOpen}
          className="flex min-h-8 min-w-0 flex-1 items-center gap-3 rounded-md px-1 text-left hover:bg-muted"
        >
          <span className="font-mono text-xs text-muted-foreground">#{number}</span>
          <span className="min-w-0 flex-1 truncate">
            {message || (restored ? `Revision ${restored} brought back` : "No message")}
          </span>
          {isNow && <Badge tone="accent">Now</Badge>}
          {!is_valid && <Badge tone="warning">Not complete</Badge>}
          <span className="shrink-0 text-xs text-muted-foreground">
            <Time at={created_at} />
          </span>
        </button>
        {!isNow && (
          <Button
            size="sm"
            refusal={edit.reason}
            aria-label={`Restore revision ${number}`}
            onClick={onRestore}
          >
            <RotateCcw aria-hidden /> Restore
          </Button>
        )}
      </div>
      {isOpen && number > 1 && <Difference pipeline={pipeline} from={number - 1} to={number} />}
      {isOpen && number === 1 && <p className="px-1 py-2 text-muted-foreground">The first one.</p>}
    </li>
  );
}

function Difference({ pipeline, from, to }: { pipeline: string; from: number; to: number }) {
  const { data, error } = useQuery(differenceQuery(pipeline, from, to));
  if (error) return <ProblemAlert title="The difference could not be loaded." error={error} />;
  if (!data) return <Skeleton className="mt-2 h-20" />;
  if (data.text === "") return <p className="px-1 py-2 text-muted-foreground">The text is the same.</p>;
  const parts = [
    ["added", data.blocks_added],
    ["changed", data.blocks_changed],
    ["removed", data.blocks_removed],
    ["beside the blocks", data.keys_changed],
  ] as const;
  const said = parts
    .filter(([, names]) => names.length > 0)
    .map(([word, names]) => `${word}: ${names.join(", ")}`);
  return (
    <div className="mt-2 flex flex-col gap-2">
      {said.length > 0 && <p className="px-1 text-xs text-muted-foreground">Blocks {said.join(" · ")}</p>}
      <pre
        className="overflow-x-auto rounded-lg border border-border bg-background py-2 text-xs"
        aria-label={`What changed from revision ${from} to ${to}`}
      >
        {data.text.split("\n").map((line, index) => (
          <span
            key={index}
            className={cn(
              "block px-3",
              /^\+(?!\+\+)/.test(line) && "bg-success-soft text-success",
              /^-(?!--)/.test(line) && "bg-danger-soft text-danger",
              line.startsWith("@@") && "text-muted-foreground",
            )}
          >
            {line || " "}
          </span>
        ))}
      </pre>
    </div>
  );
}
