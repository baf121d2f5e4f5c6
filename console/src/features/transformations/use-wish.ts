// What is put in about a transformation and not saved yet.
import { useState } from "react";
import { type Transformation, useChangeTransformation } from "@/api/transformations";

export type Part = Partial<
  Pick<
    Transformation,
    "sql_body" | "description" | "materialization" | "schema_name" | "unique_key" | "cursor" | "tests"
  >
>;

export interface Wish {
  /** As it will be. */
  now: Transformation;
  put: (part: Part) => void;
  isChanged: boolean;
  isSaving: boolean;
  error: unknown;
  save: () => void;
  /** Back to what is kept. */
  drop: () => void;
}

/** What is put in goes on from the revision of then: what somebody else changed meanwhile is not overwritten. */
export function useWish(kept: Transformation): Wish {
  const [typed, setTyped] = useState<{ since: number; part: Part }>({ since: kept.revision, part: {} });
  const change = useChangeTransformation();
  const now = { ...kept, ...typed.part };
  const isChanged = JSON.stringify(now) !== JSON.stringify(kept);
  return {
    now,
    put: (part) =>
      setTyped((before) => ({
        since: Object.keys(before.part).length > 0 ? before.since : kept.revision,
        part: { ...before.part, ...part },
      })),
    isChanged,
    isSaving: change.isPending,
    error: change.error,
    save: () => {
      if (!isChanged || change.isPending) return;
      const sent = typed.part;
      change.mutate(
        { id: kept.id, revision: typed.since, wish: sent },
        {
          // What was typed while it was saved stays.
          onSuccess: ({ revision }) =>
            setTyped(({ part }) => ({ since: revision, part: part === sent ? {} : part })),
        },
      );
    },
    drop: () => {
      change.reset();
      setTyped({ since: kept.revision, part: {} });
    },
  };
}
