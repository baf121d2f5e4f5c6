// How a run is written elsewhere.
import type { RunDetail } from "@/api/runs";
import type { Written } from "@/components/thing-menu";
import { command } from "@/lib/command";

export function written(run: RunDetail): Written {
  return {
    id: run.id,
    yaml: async () => {
      const { stringify } = await import("yaml");
      const { id, pipeline, revision, trigger, params, status, started_at, finished_at } = run;
      const { records_extracted, records_loaded, records_failed, error_message } = run;
      const told = { id, pipeline, revision, trigger, params };
      const became = { status, started_at, finished_at, records_extracted, records_loaded, records_failed };
      return stringify({ ...told, ...became, ...(error_message && { error_message }) });
    },
    about: "What it was told and what came of it; its blocks and its log are on the page.",
    command: command("flowetl", "runs", run.id, "--logs"),
    call: { method: "GET", path: `/runs/${run.id}` },
  };
}
