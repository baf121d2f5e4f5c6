// `/executors`: who works, and which one is looked at.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { z } from "@/lib/z";
import { executorsQuery } from "@/api/executors";
import { queryClient } from "@/api/query-client";
import { CardsPending } from "@/components/pending";
import { textParam } from "@/lib/url";
import { appRoute } from "./app";

export const executorsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/executors",
  validateSearch: z.object({ executor: textParam }),
  loader: () => queryClient.query({ ...executorsQuery, staleTime: "static" }),
  component: lazyRouteComponent(() => import("@/features/executors/executors-page"), "ExecutorsPage"),
  pendingComponent: CardsPending,
});
