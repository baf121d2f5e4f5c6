// The first rows of a file, and what else is known of it.
import { useQuery } from "@tanstack/react-query";
import { fileRowsQuery, type StoredFile } from "@/api/files";
import { ProblemState } from "@/components/problem-state";
import { RowsTable } from "@/components/rows-table";
import { CopyButton } from "@/components/ui/copy-button";
import { Dialog } from "@/components/ui/dialog";
import { Skeleton, SkeletonPage } from "@/components/ui/states";
import { Bytes, Time } from "@/components/ui/values";
import { Maker } from "./maker";
import { referenceOf } from "./names";

export function PreviewDialog({ file, onClose }: { file: StoredFile; onClose: () => void }) {
  const { data, error, refetch } = useQuery(fileRowsQuery(file.id));
  const reference = referenceOf(file);
  return (
    <Dialog isOpen onClose={onClose} title={file.name} className="w-[min(76rem,calc(100vw-2rem))]">
      <div className="flex flex-col gap-4">
        <div className="flex flex-wrap items-center gap-x-5 gap-y-1 text-muted-foreground">
          <Bytes value={file.size} />
          <span>
            {file.sha256 ? (
              "Uploaded"
            ) : (
              <>
                Written <Maker file={file} />
              </>
            )}{" "}
            <Time at={file.created_at} />
          </span>
          <span className="flex items-center gap-1">
            <code className="font-mono text-xs">{reference}</code>
            <CopyButton text={reference} label="Copy how pipelines name it" />
          </span>
          {file.sha256 && (
            <span className="flex items-center gap-1">
              SHA-256 <code className="font-mono text-xs">{file.sha256.slice(0, 12)}…</code>
              <CopyButton text={file.sha256} label="Copy SHA-256" />
            </span>
          )}
        </div>
        {error ? (
          <ProblemState title="Its rows could not be read." error={error} onRetry={() => void refetch()} />
        ) : data ? (
          <RowsTable rows={data} label={`Rows of ${file.name}`} />
        ) : (
          <SkeletonPage label="Loading">
            <Skeleton className="h-64 rounded-xl" />
          </SkeletonPage>
        )}
      </div>
    </Dialog>
  );
}
