// `/settings`: which tab stands in the address.
import { createRoute } from "@tanstack/react-router";
import { TablePending } from "@/components/pending";
import { textParam, wordParam } from "@/lib/url";
import { z } from "@/lib/z";
import { appRoute } from "./app";
import { lazyPage } from "./lazy-page";

const TABS = ["profile", "members", "keys", "alerts", "vault", "audit", "organization", "instance"] as const;

export const settingsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/settings",
  validateSearch: z.object({
    tab: wordParam(TABS),
    q: textParam,
    state: wordParam(["waiting", "delivered", "given_up"]),
  }),
  component: lazyPage(() => import("@/features/settings/settings-page"), "SettingsPage"),
  pendingComponent: TablePending,
});
