// The pages of who is signed in; others are led to the sign-in, and back afterwards.
import { createRoute, redirect } from "@tanstack/react-router";
import { mayEnter } from "@/api/auth";
import { enterOrganization } from "@/api/me";
import { whoIsHere } from "@/api/session";
import { RouteError } from "@/components/problem-state";
import { Shell } from "@/features/shell/shell";
import { rootRoute } from "./root";

export const appRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "app",
  beforeLoad: async ({ location }) => {
    const out = () =>
      redirect({ to: "/login", search: location.href === "/" ? {} : { next: location.href } });
    if (!(await mayEnter())) throw out();
    await enterOrganization().catch((error: unknown) => {
      // The session may have ended while nobody looked.
      throw whoIsHere() === "nobody" ? out() : error;
    });
  },
  component: Shell,
  errorComponent: RouteError,
});
