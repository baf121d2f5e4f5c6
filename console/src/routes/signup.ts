// `/signup`, with the secret of an invitation where one leads here.
import { createRoute } from "@tanstack/react-router";
import { z } from "@/lib/z";
import { textParam } from "@/lib/url";
import { lazyPage } from "./lazy-page";
import { rootRoute } from "./root";

export const signupRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/signup",
  validateSearch: z.object({ invitation: textParam, next: textParam }),
  component: lazyPage(() => import("@/features/account/signup-page"), "SignupPage"),
});
