// `/dag`: which part of the lineage is drawn, in which colours, and what is looked at.
import { createRoute } from "@tanstack/react-router";
import { lineageQuery } from "@/api/lineage";
import { queryClient } from "@/api/query-client";
import { TablePending } from "@/components/pending";
import { textParam, wordParam } from "@/lib/url";
import { z } from "@/lib/z";
import { appRoute } from "./app";
import { lazyPage } from "./lazy-page";

const search = z.object({
  /** A selector, such as `+orders+2`. */
  q: textParam,
  /** What colours tell; left out for the kind. */
  by: wordParam(["health"]),
  /** Left out for the graph. */
  as: wordParam(["outline"]),
  /** The node that is looked at. */
  at: textParam,
});

export const dagRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/dag",
  validateSearch: search,
  loader: () => queryClient.query({ ...lineageQuery, staleTime: "static" }),
  component: lazyPage(() => import("@/features/lineage/lineage-page"), "LineagePage"),
  pendingComponent: TablePending,
});
