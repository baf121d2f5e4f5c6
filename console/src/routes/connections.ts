// `/connections`: search, filters, order and what is open stand in the address.
import { createRoute } from "@tanstack/react-router";
import { z } from "@/lib/z";
import { connectionsQuery } from "@/api/connections";
import { queryClient } from "@/api/query-client";
import { CardsPending } from "@/components/pending";
import { listSearch, textParam, wordParam } from "@/lib/url";
import { appRoute } from "./app";
import { lazyPage } from "./lazy-page";

const search = z.extend(listSearch, {
  sort: wordParam(["name", "tested", "updated"]),
  type: textParam,
  direction: wordParam(["source", "destination", "both"]),
  status: wordParam(["success", "failed", "untested"]),
  folder: z.catch(z.optional(z.string()), undefined),
  /** The dialog that makes one. */
  new: z.catch(z.optional(z.literal(true)), undefined),
  /** The id of the one that is edited. */
  edit: textParam,
});

export const connectionsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/connections",
  validateSearch: search,
  loader: () => queryClient.query({ ...connectionsQuery, staleTime: "static" }),
  component: lazyPage(() => import("@/features/connections/connections-page"), "ConnectionsPage"),
  pendingComponent: CardsPending,
});
