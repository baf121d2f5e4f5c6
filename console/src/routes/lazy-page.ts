// A page's code, which comes when the page is gone to.
import { lazyRouteComponent } from "@tanstack/react-router";
import { isReached } from "@/api/health";

const AGAIN_MS = 2_000;

/** Stays with the way there until the service answers again. */
export const lazyPage: typeof lazyRouteComponent = (load, name) => lazyRouteComponent(() => come(load), name);

async function come<T>(load: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      const page = await load();
      // To read code and to draw with it take long, each for itself: a frame may come between.
      await new Promise((done) => setTimeout(done));
      return page;
    } catch (error) {
      // Code that has gone with an older version of the console: the router loads everything anew. Where nothing is
      // reached that would lose what is shown.
      if (await isReached()) throw error;
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }
}
