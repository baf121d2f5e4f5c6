// How a pipeline is written elsewhere: its file, and what runs it.
import { pipelineQuery } from "@/api/pipeline-files";
import { queryClient } from "@/api/query-client";
import { command } from "@/lib/command";
import type { Written } from "./thing-menu";

export function pipelineWritten({ id, name }: { id: string; name: string }): Written {
  return {
    id,
    yaml: async () => (await queryClient.query({ ...pipelineQuery(id), staleTime: 0 })).text,
    about: "Its file, as flowetl export prints it and flowetl apply takes it.",
    command: command("flowetl", "pipeline", "run", name),
    call: { method: "POST", path: `/pipelines/${id}/run`, body: {} },
  };
}
