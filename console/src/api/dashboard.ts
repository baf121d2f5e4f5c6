// How everything stands.
import { queryOptions } from "@tanstack/react-query";
import { answer, client } from "./client";

export const dashboardQuery = queryOptions({
  queryKey: ["dashboard"],
  queryFn: ({ signal }) => answer(client.GET("/dashboard", { signal })),
});
