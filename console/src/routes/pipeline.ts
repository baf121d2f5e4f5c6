// `/pipelines/…`: one pipeline in its editor; what is chosen and seen stands in the address.
import { createRoute } from "@tanstack/react-router";
import { catalogueQuery } from "@/api/catalogue";
import { pipelineQuery } from "@/api/pipeline-files";
import { queryClient } from "@/api/query-client";
import { TablePending } from "@/components/pending";
import { textParam, wordParam } from "@/lib/url";
import { z } from "@/lib/z";
import { appRoute } from "./app";
import { lazyPage } from "./lazy-page";

const search = z.object({
  /** The chosen block. */
  block: textParam,
  view: wordParam(["canvas", "outline"]),
  panel: wordParam(["yaml", "problems", "preview", "plan"]),
  revisions: z.catch(z.optional(z.literal(true)), undefined),
});

export const pipelineRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/pipelines/$pipeline",
  validateSearch: search,
  loader: ({ params }) =>
    Promise.all([
      queryClient.query({ ...pipelineQuery(params.pipeline), staleTime: 0 }),
      queryClient.query({ ...catalogueQuery, staleTime: "static" }),
    ]),
  component: lazyPage(() => import("@/features/editor/editor-page"), "EditorPage"),
  pendingComponent: TablePending,
});
