// What was done to a document, step by step, to be undone and done again.
import type { Layout } from "@/api/pipeline-checks";

/** A pipeline's file, and where its blocks stand: all that there is to it. */
export interface Draft {
  text: string;
  layout: Layout;
}

export interface History {
  past: readonly Draft[];
  now: Draft;
  future: readonly Draft[];
  /** What the last step was about, and when: the same again soon after is one step with it. */
  last: { about: string; at: number } | null;
}

export type Step =
  | { kind: "change"; draft: Draft; about: string; at: number }
  | { kind: "undo" }
  | { kind: "redo" }
  | { kind: "begin"; draft: Draft };

const ONE_STEP_MS = 1200;
const STEPS_MAX = 200;

export function begin(draft: Draft): History {
  return { past: [], now: draft, future: [], last: null };
}

export function stepped(history: History, step: Step): History {
  const { past, now, future, last } = history;
  switch (step.kind) {
    case "begin":
      return begin(step.draft);
    case "undo": {
      const before = past.at(-1);
      return before
        ? { past: past.slice(0, -1), now: before, future: [now, ...future], last: null }
        : history;
    }
    case "redo": {
      const [next, ...rest] = future;
      return next ? { past: [...past, now], now: next, future: rest, last: null } : history;
    }
    case "change": {
      if (step.draft.text === now.text && step.draft.layout === now.layout) return history;
      const isSame = last?.about === step.about && step.at - last.at < ONE_STEP_MS && past.length > 0;
      return {
        past: isSame ? past : [...past, now].slice(-STEPS_MAX),
        now: step.draft,
        future: [],
        last: { about: step.about, at: step.at },
      };
    }
  }
}
