// Who one is, one's organizations, and one's password.
import { zodResolver } from "@hookform/resolvers/zod";
import { useForm } from "react-hook-form";
import { useChangePassword } from "@/api/auth";
import { ROLE_NAMES, useMe } from "@/api/me";
import { useWhoIsHere } from "@/api/session";
import { ProblemAlert } from "@/components/problem-state";
import { Alert } from "@/components/ui/alert";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card, Section } from "@/components/ui/card";
import { CopyButton } from "@/components/ui/copy-button";
import { Field } from "@/components/ui/field";
import { PasswordInput } from "@/components/ui/input";
import { toast } from "@/components/ui/toast";
import { Time } from "@/components/ui/values";
import { z } from "@/lib/z";

const form = z
  .object({
    old: z.string().check(z.minLength(1, "The current password is missing.")),
    new: z.string().check(z.minLength(8, "At least 8 characters.")),
    again: z.string(),
  })
  .check(
    z.refine((values) => values.new === values.again, {
      path: ["again"],
      message: "This is not the same password.",
    }),
  );

export function ProfileTab() {
  const me = useMe();
  if (useWhoIsHere() === "anybody")
    return (
      <Alert kind="info" title="Nobody signs in here.">
        The service runs with <code>--auth off</code>: whoever uses this machine owns every organization, and
        has no profile, password or API keys.
      </Alert>
    );
  const rows = [
    ["Name", me.name],
    ["E-mail", me.email],
    ["Here since", <Time key="since" at={me.created_at} />],
  ] as const;
  return (
    <div className="grid grid-cols-1 gap-6 xl:grid-cols-2">
      <Section title="You" aside={me.super_admin && <Badge tone="purple">Runs this installation</Badge>}>
        <Card className="p-5">
          <dl className="grid grid-cols-[8rem_minmax(0,1fr)] gap-y-2.5">
            {rows.map(([label, value]) => (
              <div key={label} className="contents">
                <dt className="text-muted-foreground">{label}</dt>
                <dd>{value}</dd>
              </div>
            ))}
            <dt className="text-muted-foreground">Id</dt>
            <dd className="flex items-center gap-1 font-mono text-xs">
              {me.id} <CopyButton text={me.id} label="Copy id" />
            </dd>
            <dt className="text-muted-foreground">Organizations</dt>
            <dd className="flex flex-wrap gap-2">
              {me.memberships.map(({ organization, role }) => (
                <Badge key={organization.id}>
                  {organization.name} · {ROLE_NAMES[role]}
                </Badge>
              ))}
            </dd>
          </dl>
        </Card>
      </Section>
      <Section title="Password">
        <PasswordForm email={me.email} />
      </Section>
    </div>
  );
}

function PasswordForm({ email }: { email: string }) {
  const change = useChangePassword();
  const { register, handleSubmit, formState, reset } = useForm({
    resolver: zodResolver(form),
    defaultValues: { old: "", new: "", again: "" },
  });
  const send = (values: z.infer<typeof form>) =>
    change.mutate(
      { old: values.old, new: values.new },
      {
        onSuccess: () => {
          reset();
          toast("success", "The password was changed; your other sessions have ended.");
        },
      },
    );
  const { errors } = formState;
  return (
    <Card className="p-5">
      <form
        noValidate
        onSubmit={(event) => void handleSubmit(send)(event)}
        className="flex max-w-md flex-col gap-4"
      >
        <input type="hidden" name="username" autoComplete="username" value={email} readOnly />
        <ProblemAlert title="The password stays as it was." error={change.error} />
        <Field label="Current password" error={errors.old?.message}>
          {(control) => <PasswordInput {...control} {...register("old")} autoComplete="current-password" />}
        </Field>
        <Field label="New password" help="At least 8 characters." error={errors.new?.message}>
          {(control) => <PasswordInput {...control} {...register("new")} autoComplete="new-password" />}
        </Field>
        <Field label="New password again" error={errors.again?.message}>
          {(control) => <PasswordInput {...control} {...register("again")} autoComplete="new-password" />}
        </Field>
        <Button type="submit" variant="primary" className="self-start" isBusy={change.isPending}>
          Change password
        </Button>
      </form>
    </Card>
  );
}
