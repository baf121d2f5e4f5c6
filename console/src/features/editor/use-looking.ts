// Looking without touching: previews and plans of the document as it stands, kept or not.
import { useState } from "react";
import { usePlan, usePreview } from "@/api/pipeline-checks";
import type { PipelineDetail } from "@/api/pipeline-files";
import type { Preview } from "./preview-panel";

export interface Looking {
  preview: Preview | null;
  onPreview: (block: string, limit: number) => void;
  plan: ReturnType<typeof usePlan>;
  onPlan: () => void;
}

export function useLooking(detail: PipelineDetail, text: string): Looking {
  const preview = usePreview();
  const plan = usePlan();
  const [block, setBlock] = useState<string | null>(null);
  const pipeline = {
    name: detail.name,
    text,
    folder: detail.folder,
    ...(detail.connections_text && { connections_text: detail.connections_text }),
  };
  return {
    preview:
      block === null
        ? null
        : { block, rows: preview.data, error: preview.error, isPending: preview.isPending },
    onPreview: (block, limit) => {
      setBlock(block);
      preview.mutate({ pipeline, block, limit });
    },
    plan,
    onPlan: () => plan.mutate(pipeline),
  };
}
