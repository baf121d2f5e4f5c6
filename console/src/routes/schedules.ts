// `/schedules`: schedules and triggers; what is looked for, and which is edited.
import { createRoute } from "@tanstack/react-router";
import { z } from "@/lib/z";
import { queryClient } from "@/api/query-client";
import { schedulesQuery } from "@/api/schedules";
import { triggersQuery } from "@/api/triggers";
import { TablePending } from "@/components/pending";
import { listSearch, textParam, wordParam } from "@/lib/url";
import { appRoute } from "./app";
import { lazyPage } from "./lazy-page";

const search = z.extend(listSearch, {
  tab: wordParam(["schedules", "triggers"]),
  /** The dialog that makes one. */
  new: z.catch(z.optional(z.literal(true)), undefined),
  /** The pipeline that a new one is of, and whose triggers are shown. */
  pipeline: textParam,
  /** Or the transformation. */
  transformation: textParam,
  /** The id of the one that is edited or looked at. */
  edit: textParam,
});

export const schedulesRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/schedules",
  validateSearch: search,
  loaderDeps: ({ search: { tab, pipeline } }) => ({ tab, pipeline }),
  loader: async ({ deps: { tab, pipeline } }) => {
    if (tab === "triggers")
      await queryClient.infiniteQuery({ ...triggersQuery(pipeline), staleTime: "static" });
    else await queryClient.infiniteQuery({ ...schedulesQuery, staleTime: "static" });
  },
  component: lazyPage(() => import("@/features/schedules/schedules-page"), "SchedulesPage"),
  pendingComponent: TablePending,
});
