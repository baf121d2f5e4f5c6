// How answers are kept, and when they are asked for again.
import { QueryClient } from "@tanstack/react-query";
import { ApiProblem } from "./problem";

const TRIES = 3;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // Events say when something changed; coming back to a page within this asks nothing.
      staleTime: 15_000,
      retry: (failures, error) => failures < TRIES - 1 && error instanceof ApiProblem && error.isPassing,
      retryDelay: (failures) => Math.min(500 * 2 ** failures, 4000),
      refetchOnWindowFocus: false,
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});

/** Where lists that are read page by page begin: after nothing. */
export function firstPage(): string | null {
  return null;
}
