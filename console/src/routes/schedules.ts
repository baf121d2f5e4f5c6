// `/schedules`: what is looked for, and which is edited.
import { createRoute } from "@tanstack/react-router";
import { z } from "@/lib/z";
import { queryClient } from "@/api/query-client";
import { schedulesQuery } from "@/api/schedules";
import { TablePending } from "@/components/pending";
import { listSearch, textParam } from "@/lib/url";
import { appRoute } from "./app";
import { lazyPage } from "./lazy-page";

const search = listSearch.extend({
  /** The dialog that makes one. */
  new: z.literal(true).optional().catch(undefined),
  /** The pipeline that a new one is of. */
  pipeline: textParam,
  /** The id of the one that is edited. */
  edit: textParam,
});

export const schedulesRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/schedules",
  validateSearch: search,
  loader: () => queryClient.infiniteQuery({ ...schedulesQuery, staleTime: "static" }),
  component: lazyPage(() => import("@/features/schedules/schedules-page"), "SchedulesPage"),
  pendingComponent: TablePending,
});
