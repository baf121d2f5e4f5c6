// A page's code, which comes when the page is gone to.
import { lazyRouteComponent } from "@tanstack/react-router";
import { healthQuery } from "@/api/health";
import { queryClient } from "@/api/query-client";

/**
 * The router loads everything anew where code has gone with an older version of the console; where nothing at all is
 * reached that would lose what is shown, so that is found out first.
 */
export const lazyPage: typeof lazyRouteComponent = (load, name) =>
  lazyRouteComponent(
    () =>
      load().catch(async (error: unknown) => {
        await queryClient.query({ ...healthQuery, staleTime: 0, retry: false });
        throw error;
      }),
    name,
  );
