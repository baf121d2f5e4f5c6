// Sample data, for whoever looks at an organization in which there is nothing yet.
import { useMutation } from "@tanstack/react-query";
import { answer, client, send } from "./client";
import { refreshFiles } from "./files";
import { queryClient } from "./query-client";

const UPLOAD_MS = 60_000;

/** Puts a sample shop among the organization's files, makes its pipeline and runs it: gives the run. Once more is no harm. */
export function useSampleShop() {
  return useMutation({
    mutationFn: async () => {
      const { sampleShop } = await import("@/lib/sample-shop");
      const { text, folder, files } = sampleShop(new Date());
      for (const { name, text } of files) {
        const where = new URLSearchParams({ name, folder }).toString();
        await send("PUT", `/files?${where}`, new Blob([text]), AbortSignal.timeout(UPLOAD_MS));
      }
      const { id } = await answer(client.POST("/pipelines/apply", { body: { text } }));
      return answer(
        client.POST("/pipelines/{pipeline}/run", { params: { path: { pipeline: id } }, body: {} }),
      );
    },
    onSettled: () => {
      void refreshFiles();
      return queryClient.invalidateQueries({ queryKey: ["pipelines"] });
    },
  });
}
