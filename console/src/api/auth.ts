// Signing up, in and out.
import { queryOptions, useMutation } from "@tanstack/react-query";
import { answer, client, done } from "./client";
import { setOrganization } from "./organization";
import { queryClient } from "./query-client";
import { letIn, signIn, signOut, whoIsHere } from "./session";
import type { Schemas } from "./types";

export const methodsQuery = queryOptions({
  queryKey: ["auth", "methods"],
  queryFn: ({ signal }) => answer(client.GET("/auth/methods", { signal })),
  staleTime: Infinity,
});

/** Nothing that was seen is kept; used where nothing of it is shown any more. */
export function forgetAnswers(): void {
  queryClient.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "auth" });
}

/** Whether the pages may be shown: to who has signed in, or to anybody where the service says so. */
export async function mayEnter(): Promise<boolean> {
  if (whoIsHere() !== "nobody") return true;
  const methods = await queryClient.query({ ...methodsQuery, staleTime: 0 }).catch(() => null);
  if (!methods?.open) return false;
  forgetAnswers();
  letIn();
  return true;
}

function enter(tokens: Schemas["Tokens"]): void {
  // Nothing that another person saw is shown to this one.
  forgetAnswers();
  setOrganization(null);
  signIn(tokens);
}

export function useSignIn() {
  return useMutation({
    mutationFn: (form: Schemas["SignIn"]) =>
      answer(
        client.POST("/auth/login", {
          body: form,
          headers: { "content-type": "application/x-www-form-urlencoded" },
          bodySerializer: (body) => new URLSearchParams({ ...body }).toString(),
        }),
      ),
    onSuccess: enter,
  });
}

export function useSignUp() {
  return useMutation({
    mutationFn: (body: Schemas["Registration"]) => answer(client.POST("/auth/register", { body })),
    onSuccess: enter,
  });
}

/** Comes back from an OpenID service with a ticket. */
export function useTicket() {
  return useMutation({
    mutationFn: (ticket: string) => answer(client.POST("/auth/oidc/token", { body: { ticket } })),
    onSuccess: enter,
  });
}

export function useSignOut() {
  return useMutation({
    mutationFn: () => done(client.POST("/auth/logout")),
    // Also where the service does not answer: here they are out.
    onSettled: signOut,
  });
}

export function useChangePassword() {
  return useMutation({
    mutationFn: (body: Schemas["NewPassword"]) => done(client.POST("/auth/password", { body })),
  });
}
