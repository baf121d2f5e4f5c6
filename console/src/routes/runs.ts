// `/runs`: which runs are listed.
import { createRoute } from "@tanstack/react-router";
import { z } from "@/lib/z";
import { queryClient } from "@/api/query-client";
import { runsQuery } from "@/api/runs";
import { TablePending } from "@/components/pending";
import { textParam, wordParam } from "@/lib/url";
import { appRoute } from "./app";
import { lazyPage } from "./lazy-page";

const timeParam = z.catch(z.optional(z.iso.datetime({ offset: true })), undefined);

const search = z.object({
  status: wordParam(["pending", "running", "success", "failed", "cancelled"]),
  /** The name or the id of one. */
  pipeline: textParam,
  transformation: textParam,
  trigger: wordParam(["manual", "api", "schedule", "client", "webhook", "upstream", "files"]),
  from: timeParam,
  to: timeParam,
  /** Text in errors. */
  q: textParam,
});

export const runsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/runs",
  validateSearch: search,
  loaderDeps: ({ search: { q, ...filter } }) => ({ ...filter, search: q }),
  // Who filters keeps the page, and the focus, while the answer comes.
  loader: ({ deps, cause }) =>
    cause === "stay" ? null : queryClient.infiniteQuery({ ...runsQuery(deps), staleTime: "static" }),
  component: lazyPage(() => import("@/features/runs/runs-page"), "RunsPage"),
  pendingComponent: TablePending,
});
