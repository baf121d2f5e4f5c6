// `/unlock`: the vault.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { queryClient } from "@/api/query-client";
import { vaultQuery } from "@/api/vault";
import { appRoute } from "./app";

export const unlockRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/unlock",
  loader: () => queryClient.query({ ...vaultQuery, staleTime: "static" }),
  component: lazyRouteComponent(() => import("@/features/account/unlock-page"), "UnlockPage"),
});
