// Who is told when something goes wrong, and what they were told.
import { infiniteQueryOptions, queryOptions, useMutation } from "@tanstack/react-query";
import { answer, client, done } from "./client";
import { firstPage, queryClient } from "./query-client";
import type { Schemas } from "./types";

const all = ["alerts"] as const;

export const destinationsQuery = queryOptions({
  queryKey: [...all, "destinations"],
  queryFn: ({ signal }) => answer(client.GET("/alerts/destinations", { signal })),
});

export type DeliveryState = Schemas["DeliveryState"];

export function deliveriesQuery(state: DeliveryState | undefined) {
  return infiniteQueryOptions({
    queryKey: [...all, "deliveries", state],
    queryFn: ({ signal, pageParam: before }) => {
      const query = { limit: 50, ...(state && { state }), ...(before !== null && { before }) };
      return answer(client.GET("/alerts/deliveries", { params: { query }, signal }));
    },
    initialPageParam: firstPage(),
    getNextPageParam: (page) => page.next ?? null,
  });
}

const onSuccess = () => queryClient.invalidateQueries({ queryKey: all });

/** Makes one, or changes the one of this id. */
export function useSaveDestination() {
  return useMutation({
    mutationFn: async ({ id, wish }: { id: string | null; wish: Schemas["DestinationWish"] }) => {
      if (id === null) return answer(client.POST("/alerts/destinations", { body: wish }));
      const params = { path: { destination: id } };
      const changed = await answer(client.PUT("/alerts/destinations/{destination}", { params, body: wish }));
      return { ...changed, secret: null };
    },
    onSuccess,
  });
}

export function useDeleteDestination() {
  return useMutation({
    mutationFn: (destination: string) =>
      done(client.DELETE("/alerts/destinations/{destination}", { params: { path: { destination } } })),
    onSuccess,
  });
}

export function useTestDestination() {
  return useMutation({
    mutationFn: (destination: string) =>
      answer(client.POST("/alerts/destinations/{destination}/test", { params: { path: { destination } } })),
    onSettled: onSuccess,
  });
}

export function useRedeliver() {
  return useMutation({
    mutationFn: (delivery: string) =>
      answer(client.POST("/alerts/deliveries/{delivery}/redeliver", { params: { path: { delivery } } })),
    onSettled: onSuccess,
  });
}
