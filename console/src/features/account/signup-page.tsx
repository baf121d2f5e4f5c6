// Signing up: with an organization of one's own, or in that of an invitation.
import { zodResolver } from "@hookform/resolvers/zod";
import { getRouteApi, Link, useRouter } from "@tanstack/react-router";
import { useForm } from "react-hook-form";
import { z } from "@/lib/z";
import { useSignUp } from "@/api/auth";
import { ApiProblem } from "@/api/problem";
import { ProblemAlert } from "@/components/problem-state";
import { sentence } from "@/components/words";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input, PasswordInput } from "@/components/ui/input";
import { ownPath } from "@/lib/url";
import { PurplePage } from "./purple-page";

const form = z.object({
  name: z.string().check(z.trim(), z.minLength(1, "Your name is missing.")),
  email: z.email("An e-mail address, such as you@example.com."),
  password: z.string().check(z.minLength(8, "At least 8 characters.")),
  organization: z.string().check(z.trim()),
  invitation: z.string().check(z.trim()),
});
type Values = z.infer<typeof form>;

const route = getRouteApi("/signup");

export function SignupPage() {
  const { invitation, next } = route.useSearch();
  const router = useRouter();
  const signUp = useSignUp();
  const isInvited = invitation !== undefined;
  const { register, handleSubmit, watch, formState } = useForm({
    resolver: zodResolver(form),
    defaultValues: { name: "", email: "", password: "", organization: "", invitation: invitation ?? "" },
  });
  const joins = watch("invitation") !== "";

  const send = ({ organization, invitation, ...person }: Values) => {
    const place = invitation ? { invitation } : organization ? { organization } : {};
    signUp.mutate({ ...person, ...place }, { onSuccess: () => router.history.push(ownPath(next)) });
  };
  const error = (name: keyof Values) => formState.errors[name]?.message ?? refused(signUp.error, name);

  return (
    <PurplePage
      title={isInvited ? "Join your team" : "Create your account"}
      lead={
        isInvited
          ? "You were invited to an organization."
          : "With an organization of your own, or in that of an invitation."
      }
      below={
        <>
          Already here?{" "}
          <Link to="/login" search={next ? { next } : {}}>
            Sign in
          </Link>
        </>
      }
    >
      <form noValidate onSubmit={(event) => void handleSubmit(send)(event)} className="flex flex-col gap-4">
        <ProblemAlert title="The account could not be made." error={signUp.error} />
        <Field label="Name" error={error("name")}>
          {(control) => <Input {...control} {...register("name")} autoComplete="name" autoFocus />}
        </Field>
        <Field label="E-mail" error={error("email")}>
          {(control) => <Input {...control} {...register("email")} type="email" autoComplete="username" />}
        </Field>
        <Field label="Password" help="At least 8 characters." error={error("password")}>
          {(control) => <PasswordInput {...control} {...register("password")} autoComplete="new-password" />}
        </Field>
        {!joins && (
          <Field
            label="Organization"
            isOptional
            help="Everything you make belongs to it; it bears your name if you leave this empty."
            error={error("organization")}
          >
            {(control) => <Input {...control} {...register("organization")} autoComplete="organization" />}
          </Field>
        )}
        {!isInvited && (
          <Field
            label="Invitation"
            isOptional
            help="The code of an invitation, to join instead."
            error={error("invitation")}
          >
            {(control) => <Input {...control} {...register("invitation")} autoComplete="off" />}
          </Field>
        )}
        <Button type="submit" variant="primary" size="lg" isBusy={signUp.isPending}>
          {joins ? "Join" : "Create account"}
        </Button>
      </form>
    </PurplePage>
  );
}

function refused(problem: unknown, field: string): string | undefined {
  return problem instanceof ApiProblem && problem.field === field ? sentence(problem.message) : undefined;
}
