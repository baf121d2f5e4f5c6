// `/login`
import { createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { z } from "@/lib/z";
import { isSignedIn } from "@/api/session";
import { ownPath, textParam } from "@/lib/url";
import { rootRoute } from "./root";

export const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/login",
  validateSearch: z.object({ next: textParam, ticket: textParam, error: textParam }),
  beforeLoad: ({ search }) => {
    if (isSignedIn() && !search.ticket) throw redirect({ href: ownPath(search.next) });
  },
  component: lazyRouteComponent(() => import("@/features/account/login-page"), "LoginPage"),
});
