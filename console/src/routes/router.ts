// All pages by their addresses.
import { createRouter } from "@tanstack/react-router";
import { onSessionChange, whoIsHere } from "@/api/session";
import { RouteError } from "@/components/problem-state";
import { appRoute } from "./app";
import { compareRunsRoute } from "./compare-runs";
import { connectionsRoute } from "./connections";
import { dagRoute } from "./dag";
import { dashboardRoute } from "./dashboard";
import { executorsRoute } from "./executors";
import { explorerRoute } from "./explorer";
import { filesRoute } from "./files";
import { loginRoute } from "./login";
import { NotFound } from "./not-found";
import { pipelineRoute } from "./pipeline";
import { pipelinesRoute, wizardRoute } from "./pipelines";
import { rootRoute } from "./root";
import { runRoute } from "./run";
import { runsRoute } from "./runs";
import { schedulesRoute } from "./schedules";
import { settingsRoute } from "./settings";
import { signupRoute } from "./signup";
import { transformationRoute, transformationsRoute } from "./transformations";
import { unlockRoute } from "./unlock";

const tree = rootRoute.addChildren([
  loginRoute,
  signupRoute,
  appRoute.addChildren([
    dashboardRoute,
    connectionsRoute,
    pipelinesRoute,
    wizardRoute,
    pipelineRoute,
    transformationsRoute,
    transformationRoute,
    runsRoute,
    compareRunsRoute,
    runRoute,
    schedulesRoute,
    dagRoute,
    explorerRoute,
    filesRoute,
    executorsRoute,
    settingsRoute,
    unlockRoute,
  ]),
]);

export const router = createRouter({
  routeTree: tree,
  defaultPreload: "intent",
  // The queries know how old answers are.
  defaultPreloadStaleTime: 0,
  defaultPendingMs: 150,
  defaultPendingMinMs: 0,
  defaultErrorComponent: RouteError,
  defaultNotFoundComponent: NotFound,
  scrollRestoration: true,
});

// Signed out in another tab, or by the service.
onSessionChange(() => {
  if (whoIsHere() === "nobody") void router.invalidate();
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
