// `/explorer`: which connection, schema and table are looked at stands in the address.
import { createRoute } from "@tanstack/react-router";
import { connectionsQuery } from "@/api/connections";
import { queryClient } from "@/api/query-client";
import { TablePending } from "@/components/pending";
import { textParam, wordParam } from "@/lib/url";
import { z } from "@/lib/z";
import { appRoute } from "./app";
import { lazyPage } from "./lazy-page";

const search = z.object({
  /** Text in the names of tables. */
  q: textParam,
  /** The id of a connection. */
  connection: textParam,
  /** The one that is open in the tree. */
  schema: textParam,
  table: textParam,
  tab: wordParam(["columns", "relationships", "preview"]),
});

export const explorerRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/explorer",
  validateSearch: search,
  loader: () => queryClient.query({ ...connectionsQuery, staleTime: "static" }),
  component: lazyPage(() => import("@/features/explorer/explorer-page"), "ExplorerPage"),
  pendingComponent: TablePending,
});
