// Who belongs to the organization, and who is invited.
import { queryOptions, useMutation } from "@tanstack/react-query";
import { answer, client, done } from "./client";
import { useOrganization } from "./me";
import { queryClient } from "./query-client";
import type { Schemas } from "./types";

const all = ["members"] as const;

export function membersQuery(organization: string) {
  return queryOptions({
    queryKey: [...all, organization],
    queryFn: ({ signal }) =>
      answer(
        client.GET("/organizations/{organization}/members", { params: { path: { organization } }, signal }),
      ),
  });
}

export function invitationsQuery(organization: string) {
  return queryOptions({
    queryKey: [...all, organization, "invitations"],
    queryFn: ({ signal }) =>
      answer(
        client.GET("/organizations/{organization}/invitations", {
          params: { path: { organization } },
          signal,
        }),
      ),
  });
}

const onSuccess = () => queryClient.invalidateQueries({ queryKey: all });

export function useInvite() {
  const { id: organization } = useOrganization();
  return useMutation({
    mutationFn: (body: Schemas["NewInvitation"]) =>
      answer(
        client.POST("/organizations/{organization}/invitations", {
          params: { path: { organization } },
          body,
        }),
      ),
    onSuccess,
  });
}

export function useUninvite() {
  const { id: organization } = useOrganization();
  return useMutation({
    mutationFn: (invitation: string) =>
      done(
        client.DELETE("/organizations/{organization}/invitations/{invitation}", {
          params: { path: { organization, invitation } },
        }),
      ),
    onSuccess,
  });
}

export function useChangeRole() {
  const { id: organization } = useOrganization();
  return useMutation({
    mutationFn: ({ person, role }: { person: string; role: Schemas["Role"] }) =>
      answer(
        client.PATCH("/organizations/{organization}/members/{person}", {
          params: { path: { organization, person } },
          body: { role },
        }),
      ),
    onSettled: onSuccess,
  });
}

export function useRemoveMember() {
  const { id: organization } = useOrganization();
  return useMutation({
    mutationFn: (person: string) =>
      done(
        client.DELETE("/organizations/{organization}/members/{person}", {
          params: { path: { organization, person } },
        }),
      ),
    onSuccess,
  });
}

export function useTransfer() {
  const { id: organization } = useOrganization();
  return useMutation({
    mutationFn: (person: string) =>
      done(
        client.POST("/organizations/{organization}/transfer", {
          params: { path: { organization } },
          body: { person },
        }),
      ),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ["me"] });
      await onSuccess();
    },
  });
}
