// `/runs/RUN`: which part of it is seen, and how.
import { createRoute } from "@tanstack/react-router";
import { z } from "@/lib/z";
import { queryClient } from "@/api/query-client";
import { runQuery } from "@/api/runs";
import { TablePending } from "@/components/pending";
import { textParam, wordParam } from "@/lib/url";
import { appRoute } from "./app";
import { lazyPage } from "./lazy-page";

const search = z.object({
  tab: wordParam(["graph", "timeline", "logs", "data", "state", "quarantine", "error"]),
  /** The graph as a table. */
  as: wordParam(["outline"]),
  /** The block that is looked at, in the graph and in the logs. */
  block: textParam,
  level: wordParam(["debug", "warn", "error"]),
  /** Text in the logs. */
  q: textParam,
  /** The number of the line that is pointed at. */
  line: z.catch(z.optional(z.coerce.number().check(z.int(), z.positive())), undefined),
});

export const runRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/runs/$run",
  validateSearch: search,
  loader: ({ params }) => queryClient.query({ ...runQuery(params.run), staleTime: "static" }),
  component: lazyPage(() => import("@/features/runs/run-page"), "RunPage"),
  pendingComponent: TablePending,
});
