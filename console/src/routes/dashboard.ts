// `/`: how everything stands.
import { createRoute } from "@tanstack/react-router";
import { dashboardQuery } from "@/api/dashboard";
import { queryClient } from "@/api/query-client";
import { appRoute } from "./app";
import { lazyPage } from "./lazy-page";
import { CardsPending } from "@/components/pending";

export const dashboardRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/",
  loader: () => queryClient.query({ ...dashboardQuery, staleTime: "static" }),
  component: lazyPage(() => import("@/features/dashboard/dashboard-page"), "DashboardPage"),
  pendingComponent: CardsPending,
});
