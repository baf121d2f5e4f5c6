// What began a run, in words.
import type { Run } from "@/api/runs";

export const TRIGGERS: Record<Run["trigger"], string> = {
  manual: "By hand",
  api: "By the API",
  schedule: "On schedule",
  client: "By the command line",
  webhook: "By a call",
  upstream: "After another pipeline",
  files: "When files arrived",
};

export function TriggerWord({ trigger }: { trigger: Run["trigger"] }) {
  return <span>{TRIGGERS[trigger]}</span>;
}
