// `/unlock`: the vault.
import { createRoute } from "@tanstack/react-router";
import { queryClient } from "@/api/query-client";
import { vaultQuery } from "@/api/vault";
import { appRoute } from "./app";
import { lazyPage } from "./lazy-page";

export const unlockRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/unlock",
  loader: () => queryClient.query({ ...vaultQuery, staleTime: "static" }),
  component: lazyPage(() => import("@/features/account/unlock-page"), "UnlockPage"),
});
