// Invites somebody; the link is shown once, to pass on.
import { zodResolver } from "@hookform/resolvers/zod";
import { Controller, useForm } from "react-hook-form";
import { useInvite } from "@/api/members";
import { ProblemAlert } from "@/components/problem-state";
import { Field } from "@/components/ui/field";
import { FormDialog } from "@/components/ui/form-dialog";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { z } from "@/lib/z";
import { ROLES } from "./roles";
import { SecretDialog } from "@/components/secret-dialog";

const form = z.object({
  email: z.email("An e-mail address, such as ann@example.com."),
  role: z.enum(["viewer", "editor", "admin", "owner"]),
});

export function InviteDialog({ onClose }: { onClose: () => void }) {
  const invite = useInvite();
  const { register, handleSubmit, control, formState } = useForm({
    resolver: zodResolver(form),
    defaultValues: { email: "", role: "editor" as const },
  });
  if (invite.data) {
    const { email, mailed, secret } = invite.data;
    const link = new URL(`/signup?invitation=${encodeURIComponent(secret)}`, location.origin).href;
    return (
      <SecretDialog
        onClose={onClose}
        title={`${email} is invited`}
        kind={mailed ? "success" : "warning"}
        words={
          mailed
            ? "The link was sent by mail."
            : "No mail server is set: pass this link on. It is not shown again."
        }
        label="Invitation link"
        secret={link}
      />
    );
  }
  return (
    <FormDialog
      noValidate
      onClose={onClose}
      title="Invite somebody"
      description="The invitation counts for a week, once."
      action="Invite"
      onSubmit={() => void handleSubmit((values) => invite.mutate(values))()}
      isBusy={invite.isPending}
    >
      <Field label="E-mail" error={formState.errors.email?.message}>
        {(control) => <Input {...control} {...register("email")} type="email" autoComplete="off" autoFocus />}
      </Field>
      <Controller
        control={control}
        name="role"
        render={({ field: { value, onChange } }) => (
          <Field label="Role">
            {(control) => (
              <Select
                {...control}
                value={value}
                onChange={onChange}
                choices={ROLES.filter(({ value }) => value !== "owner")}
              />
            )}
          </Field>
        )}
      />
      <ProblemAlert title="Nobody was invited." error={invite.error} />
    </FormDialog>
  );
}
