// `/login`
import { createRoute, redirect } from "@tanstack/react-router";
import { z } from "@/lib/z";
import { mayEnter } from "@/api/auth";
import { ownPath, textParam } from "@/lib/url";
import { lazyPage } from "./lazy-page";
import { rootRoute } from "./root";

export const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/login",
  validateSearch: z.object({ next: textParam, ticket: textParam, error: textParam }),
  beforeLoad: async ({ search }) => {
    if (!search.ticket && (await mayEnter())) throw redirect({ href: ownPath(search.next) });
  },
  component: lazyPage(() => import("@/features/account/login-page"), "LoginPage"),
});
