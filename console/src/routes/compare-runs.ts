// `/runs/compare`: two runs side by side.
import { createRoute, redirect } from "@tanstack/react-router";
import { z } from "@/lib/z";
import { queryClient } from "@/api/query-client";
import { runQuery } from "@/api/runs";
import { TablePending } from "@/components/pending";
import { appRoute } from "./app";
import { lazyPage } from "./lazy-page";

export const compareRunsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/runs/compare",
  validateSearch: z.object({ one: z.catch(z.string(), ""), other: z.catch(z.string(), "") }),
  loaderDeps: ({ search }) => search,
  loader: async ({ deps: { one, other } }) => {
    if (!one || !other) throw redirect({ to: "/runs" });
    await Promise.all(
      [one, other].map((run) => queryClient.query({ ...runQuery(run), staleTime: "static" })),
    );
  },
  component: lazyPage(() => import("@/features/runs/compare-page"), "ComparePage"),
  pendingComponent: TablePending,
});
