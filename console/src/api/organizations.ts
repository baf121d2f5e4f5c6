// The organization's own settings, its end, and what was changed in it.
import { infiniteQueryOptions, queryOptions, useMutation } from "@tanstack/react-query";
import { answer, client, done } from "./client";
import { enterOrganization, switchOrganization, useOrganization } from "./me";
import { firstPage, queryClient } from "./query-client";
import type { Schemas } from "./types";

const PAGE = 100;

/** For who runs the installation: all there are. */
export const organizationsQuery = queryOptions({
  queryKey: ["organization", "all"],
  queryFn: ({ signal }) => answer(client.GET("/organizations", { signal })),
});

/** Newest first, a page at a time. */
export function auditQuery(organization: string) {
  return infiniteQueryOptions({
    queryKey: ["organization", organization, "audit"],
    queryFn: ({ signal, pageParam: before }) => {
      const query = { limit: PAGE, ...(before !== null && { before }) };
      const params = { path: { organization }, query };
      return answer(client.GET("/organizations/{organization}/audit", { params, signal }));
    },
    initialPageParam: firstPage(),
    getNextPageParam: (page: Schemas["AuditEntry"][]) =>
      page.length < PAGE ? null : (page.at(-1)?.id ?? null),
  });
}

export function useChangeOrganization() {
  const { id: organization } = useOrganization();
  return useMutation({
    mutationFn: (body: Schemas["OrganizationWish"]) =>
      answer(client.PATCH("/organizations/{organization}", { params: { path: { organization } }, body })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ["me"] }),
  });
}

export function useMakeOrganization() {
  return useMutation({
    mutationFn: (name: string) => answer(client.POST("/organizations", { body: { name } })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ["me"] }),
  });
}

async function leave(): Promise<void> {
  await queryClient.invalidateQueries({ queryKey: ["me"] });
  const { memberships } = await enterOrganization();
  switchOrganization(memberships[0]?.organization.id ?? null);
}

export function useDeleteOrganization() {
  const { id: organization } = useOrganization();
  return useMutation({
    mutationFn: () =>
      done(client.DELETE("/organizations/{organization}", { params: { path: { organization } } })),
    onSuccess: leave,
  });
}

export function useLeaveOrganization() {
  const { id: organization } = useOrganization();
  return useMutation({
    mutationFn: () =>
      done(client.DELETE("/organizations/{organization}/members/me", { params: { path: { organization } } })),
    onSuccess: leave,
  });
}
