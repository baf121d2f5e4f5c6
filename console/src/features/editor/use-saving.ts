// Keeping the document: drafts by themselves, others when somebody saves; never over what another person did.
import { useCallback, useEffect, useRef, useState } from "react";
import { type PipelineDetail, useSavePipeline } from "@/api/pipeline-files";
import type { Standing } from "@/api/pipeline-list";
import { ApiProblem } from "@/api/problem";
import type { Draft } from "./history";

const AUTOSAVE_MS = 1000;

type Outcome = "saved" | "conflict" | "refused";

export interface Saving {
  isDirty: boolean;
  isSaving: boolean;
  /** Why the last try failed; a conflict is told apart. */
  error: unknown;
  isConflict: boolean;
  /** The revision that this goes on from. */
  revision: number;
  save: (wish?: { message?: string; status?: Standing; isForced?: boolean }) => Promise<Outcome>;
  /** Goes on from what the service has. */
  adopt: (detail: PipelineDetail) => void;
}

export function draftOf(detail: PipelineDetail): Draft {
  return { text: detail.text, layout: detail.layout };
}

export function useSaving(detail: PipelineDetail, draft: Draft, mayEdit: boolean): Saving {
  const { mutateAsync } = useSavePipeline(detail.id);
  const [kept, setKept] = useState(() => ({ draft: draftOf(detail), revision: detail.revision }));
  const [error, setError] = useState<unknown>(null);
  const [isSaving, setSaving] = useState(false);
  const isMoved = JSON.stringify(draft.layout) !== JSON.stringify(kept.draft.layout);
  const isChanged = draft.text !== kept.draft.text;
  const queue = useRef<Promise<unknown>>(Promise.resolve());
  const revision = useRef(detail.revision);

  const save = useCallback<Saving["save"]>(
    (wish = {}) => {
      const { message, status, isForced } = wish;
      // One after the other: each goes on from the revision of the one before.
      const turn = queue.current.then(async (): Promise<Outcome> => {
        setSaving(true);
        try {
          const saved = await mutateAsync({
            revision: isForced ? null : revision.current,
            text: draft.text,
            layout: draft.layout,
            ...(message && { message }),
            ...(status && { status }),
          });
          revision.current = saved.revision;
          setKept({ draft, revision: saved.revision });
          setError(null);
          return "saved";
        } catch (problem) {
          setError(problem);
          return isOvertaken(problem) ? "conflict" : "refused";
        } finally {
          setSaving(false);
        }
      });
      queue.current = turn;
      return turn;
    },
    [draft, mutateAsync],
  );

  const isConflict = isOvertaken(error);
  // Where blocks stand makes no revision, so that it is kept at once whatever the pipeline's status.
  const isAutomatic =
    mayEdit && !isConflict && (detail.status === "draft" ? isChanged || isMoved : isMoved && !isChanged);
  useEffect(() => {
    if (!isAutomatic) return;
    const timer = setTimeout(() => void save(), AUTOSAVE_MS);
    return () => clearTimeout(timer);
  }, [isAutomatic, save]);

  const adopt = useCallback((fresh: PipelineDetail) => {
    revision.current = fresh.revision;
    setKept({ draft: draftOf(fresh), revision: fresh.revision });
    setError(null);
  }, []);
  return { isDirty: isChanged, isSaving, error, isConflict, revision: kept.revision, save, adopt };
}

/** Whether somebody else was faster. */
function isOvertaken(problem: unknown): boolean {
  return problem instanceof ApiProblem && problem.status === 412;
}
