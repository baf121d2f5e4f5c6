// Which service this is.
import { queryOptions } from "@tanstack/react-query";
import { answer, client } from "./client";
import { queryClient } from "./query-client";

export const healthQuery = queryOptions({
  queryKey: ["health"],
  queryFn: ({ signal }) => answer(client.GET("/health", { signal })),
  staleTime: 300_000,
});

/** Whether the service answers now. */
export function isReached(): Promise<boolean> {
  return queryClient.query({ ...healthQuery, staleTime: 0, retry: false }).then(
    () => true,
    () => false,
  );
}
