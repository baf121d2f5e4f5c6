// Why the document is not kept: somebody else was faster, or the service refuses it.
import { useQuery } from "@tanstack/react-query";
import { pipelineQuery, type PipelineDetail } from "@/api/pipeline-files";
import { ProblemAlert } from "@/components/problem-state";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import type { Saving } from "./use-saving";

interface ConflictProps {
  detail: PipelineDetail;
  saving: Saving;
  onTheirs: () => void;
  onDifference: () => void;
}

export function Conflict({ detail, saving, onTheirs, onDifference }: ConflictProps) {
  const { data: now = detail } = useQuery({ ...pipelineQuery(detail.id), enabled: saving.isConflict });
  if (!saving.error) return null;
  if (!saving.isConflict)
    return (
      <div className="border-b border-border p-3">
        <ProblemAlert title="The changes are not saved." error={saving.error} />
      </div>
    );
  return (
    <div className="border-b border-border p-3">
      <Alert kind="warning" title="Somebody else has changed this pipeline meanwhile.">
        <p>
          It is at revision {now.revision}; what you see goes on from revision {saving.revision}. Nothing of
          yours is lost, and nothing of theirs is overwritten until you say so.
        </p>
        <div className="mt-2 flex flex-wrap gap-2">
          <Button size="sm" onClick={onDifference}>
            Show what they changed
          </Button>
          <Button size="sm" onClick={onTheirs}>
            Take theirs, drop mine
          </Button>
          <Button
            size="sm"
            variant="danger"
            isBusy={saving.isSaving}
            onClick={() => void saving.save({ isForced: true, message: "Saved over another change" })}
          >
            Save mine over it
          </Button>
        </div>
      </Alert>
    </div>
  );
}
