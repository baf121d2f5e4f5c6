// The kinds of block and of system that executors announce.
import { queryOptions } from "@tanstack/react-query";
import { answer, client } from "./client";
import type { Schemas } from "./types";

export type Connector = Schemas["ConnectorKind"];

export const catalogueQuery = queryOptions({
  queryKey: ["catalogue"],
  queryFn: ({ signal }) => answer(client.GET("/catalogue", { signal })),
  staleTime: 300_000,
});

/** The connector that answers to a connection's type. */
export function connectorOf(connectors: readonly Connector[], type: string): Connector | undefined {
  return connectors.find(({ schemes }) => schemes.includes(type));
}
