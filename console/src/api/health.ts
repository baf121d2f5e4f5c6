// Which service this is.
import { queryOptions } from "@tanstack/react-query";
import { answer, client } from "./client";

export const healthQuery = queryOptions({
  queryKey: ["health"],
  queryFn: ({ signal }) => answer(client.GET("/health", { signal })),
  staleTime: 300_000,
});
