// `/pipelines` and `/pipelines/new`: all of them, and the wizard that makes one.
import { createRoute } from "@tanstack/react-router";
import { catalogueQuery } from "@/api/catalogue";
import { connectionsQuery } from "@/api/connections";
import { pipelineListQuery } from "@/api/pipeline-list";
import { queryClient } from "@/api/query-client";
import { TablePending } from "@/components/pending";
import { listSearch, wordParam } from "@/lib/url";
import { z } from "@/lib/z";
import { appRoute } from "./app";
import { lazyPage } from "./lazy-page";

const search = z.extend(listSearch, {
  status: wordParam(["draft", "active", "paused", "error"]),
  /** The dialog that makes one. */
  new: z.catch(z.optional(z.literal(true)), undefined),
});

export const pipelinesRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/pipelines",
  validateSearch: search,
  loaderDeps: ({ search: { q, status } }) => ({ search: q, status }),
  // Who filters keeps the page, and the focus, while the answer comes.
  loader: ({ deps, cause }) =>
    cause === "stay" ? null : queryClient.infiniteQuery({ ...pipelineListQuery(deps), staleTime: "static" }),
  component: lazyPage(() => import("@/features/pipelines/pipelines-page"), "PipelinesPage"),
  pendingComponent: TablePending,
});

export const wizardRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/pipelines/new",
  loader: () =>
    Promise.all([
      queryClient.query({ ...connectionsQuery, staleTime: 0 }),
      queryClient.query({ ...catalogueQuery, staleTime: "static" }),
    ]),
  component: lazyPage(() => import("@/features/pipelines/wizard-page"), "WizardPage"),
  pendingComponent: TablePending,
});
