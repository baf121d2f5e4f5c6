// What the first page needs is begun at once, side by side, instead of one after the other: who is here, and the page's code.
import { enterOrganization } from "@/api/me";
import { whoIsHere } from "@/api/session";
import { router } from "./router";

/** What fails here fails again where it is waited for, and is told there. */
export function begin(): void {
  if (whoIsHere() !== "person") return;
  const untold = () => undefined;
  enterOrganization().catch(untold);
  const [routes] = router.getMatchedRoutes(router.latestLocation.pathname);
  for (const route of routes) router.loadRouteChunk(route)?.catch(untold);
}
