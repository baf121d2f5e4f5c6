// `/transformations` and `/transformations/…`: all of them, and one with its SQL.
import { createRoute } from "@tanstack/react-router";
import { queryClient } from "@/api/query-client";
import { transformationQuery, transformationsQuery } from "@/api/transformations";
import { TablePending } from "@/components/pending";
import { listSearch, wordParam } from "@/lib/url";
import { z } from "@/lib/z";
import { appRoute } from "./app";
import { lazyPage } from "./lazy-page";

export const transformationsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/transformations",
  validateSearch: z.extend(listSearch, {
    /** The dialog that makes one. */
    new: z.catch(z.optional(z.literal(true)), undefined),
  }),
  loader: () => queryClient.infiniteQuery({ ...transformationsQuery, staleTime: 0 }),
  component: lazyPage(() => import("@/features/transformations/transformations-page"), "TransformationsPage"),
  pendingComponent: TablePending,
});

export const transformationRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/transformations/$transformation",
  validateSearch: z.object({
    tab: wordParam(["sql", "compiled", "preview", "tests", "settings", "lineage"]),
  }),
  loader: ({ params }) => queryClient.query({ ...transformationQuery(params.transformation), staleTime: 0 }),
  component: lazyPage(() => import("@/features/transformations/transformation-page"), "TransformationPage"),
  pendingComponent: TablePending,
});
