// Signing in.
import { zodResolver } from "@hookform/resolvers/zod";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useRouter } from "@tanstack/react-router";
import { KeyRound } from "lucide-react";
import { useEffect } from "react";
import { useForm } from "react-hook-form";
import { z } from "@/lib/z";
import { forgetAnswers, methodsQuery, useSignIn, useTicket } from "@/api/auth";
import { ProblemAlert } from "@/components/problem-state";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input, PasswordInput } from "@/components/ui/input";
import { ownPath } from "@/lib/url";
import { PurplePage } from "./purple-page";

const form = z.object({
  username: z.email("An e-mail address, such as you@example.com."),
  password: z.string().check(z.minLength(1, "The password is missing.")),
});

const route = getRouteApi("/login");

export function LoginPage() {
  const { next, ticket, error } = route.useSearch();
  const router = useRouter();
  const { data: methods } = useQuery(methodsQuery);
  const signIn = useSignIn();
  const { mutate: exchange, error: ticketError } = useTicket();
  const { register, handleSubmit, formState } = useForm({
    resolver: zodResolver(form),
    defaultValues: { username: "", password: "" },
  });
  const onSuccess = () => router.history.push(ownPath(next));

  useEffect(forgetAnswers, []);
  useEffect(() => {
    if (ticket) exchange(ticket, { onSuccess: () => router.history.replace(ownPath(next)) });
  }, [ticket, exchange, next, router]);

  const { errors } = formState;
  return (
    <PurplePage
      title="Sign in"
      lead="Welcome back."
      below={
        <>
          New here?{" "}
          <Link to="/signup" search={next ? { next } : {}}>
            Create an account
          </Link>
        </>
      }
    >
      <form
        noValidate
        onSubmit={(event) => void handleSubmit((values) => signIn.mutate(values, { onSuccess }))(event)}
        className="flex flex-col gap-4"
      >
        {error && <Alert kind="danger" title="Signing in there did not work." children={error} />}
        <ProblemAlert title="You could not be signed in." error={signIn.error ?? ticketError} />
        <Field label="E-mail" error={errors.username?.message}>
          {(control) => (
            <Input {...control} {...register("username")} type="email" autoComplete="username" autoFocus />
          )}
        </Field>
        <Field label="Password" error={errors.password?.message}>
          {(control) => (
            <PasswordInput {...control} {...register("password")} autoComplete="current-password" />
          )}
        </Field>
        <Button type="submit" variant="primary" size="lg" isBusy={signIn.isPending}>
          Sign in
        </Button>
        {methods?.oidc && (
          <Button asChild size="lg">
            <a href={`/api/v1/auth/oidc/login?next=${encodeURIComponent(backTo(next))}`}>
              <KeyRound aria-hidden /> Sign in with your organization’s account
            </a>
          </Button>
        )}
      </form>
    </PurplePage>
  );
}

/** This page takes the ticket, then leads on. */
function backTo(next: string | undefined): string {
  return next ? `/login?next=${encodeURIComponent(next)}` : "/login";
}
