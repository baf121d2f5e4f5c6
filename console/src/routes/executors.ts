// `/executors`: who works, and which one is looked at.
import { createRoute } from "@tanstack/react-router";
import { z } from "@/lib/z";
import { executorsQuery } from "@/api/executors";
import { queryClient } from "@/api/query-client";
import { CardsPending } from "@/components/pending";
import { textParam } from "@/lib/url";
import { appRoute } from "./app";
import { lazyPage } from "./lazy-page";

export const executorsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/executors",
  validateSearch: z.object({ executor: textParam }),
  loader: () => queryClient.query({ ...executorsQuery, staleTime: "static" }),
  component: lazyPage(() => import("@/features/executors/executors-page"), "ExecutorsPage"),
  pendingComponent: CardsPending,
});
