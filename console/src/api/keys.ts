// API keys of the organization: what programs call with.
import { queryOptions, useMutation } from "@tanstack/react-query";
import { answer, client, done } from "./client";
import { useOrganization } from "./me";
import { queryClient } from "./query-client";
import type { Schemas } from "./types";

const all = ["api keys"] as const;

export function keysQuery(organization: string) {
  return queryOptions({
    queryKey: [...all, organization],
    queryFn: ({ signal }) =>
      answer(
        client.GET("/organizations/{organization}/api-keys", { params: { path: { organization } }, signal }),
      ),
  });
}

const onSuccess = () => queryClient.invalidateQueries({ queryKey: all });

export function useMakeKey() {
  const { id: organization } = useOrganization();
  return useMutation({
    mutationFn: (body: Schemas["NewKeyWish"]) =>
      answer(
        client.POST("/organizations/{organization}/api-keys", { params: { path: { organization } }, body }),
      ),
    onSuccess,
  });
}

export function useRevokeKey() {
  const { id: organization } = useOrganization();
  return useMutation({
    mutationFn: (key: string) =>
      done(
        client.DELETE("/organizations/{organization}/api-keys/{key}", {
          params: { path: { organization, key } },
        }),
      ),
    onSuccess,
  });
}
