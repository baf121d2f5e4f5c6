// The organization's name and address, further organizations, and what cannot be taken back.
import { useRouter } from "@tanstack/react-router";
import { type SyntheticEvent, useState } from "react";
import { switchOrganization, useMay, useOrganization } from "@/api/me";
import { useChangeOrganization, useMakeOrganization } from "@/api/organizations";
import { ProblemAlert } from "@/components/problem-state";
import { Button } from "@/components/ui/button";
import { Card, Section } from "@/components/ui/card";
import { CopyButton } from "@/components/ui/copy-button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { toast } from "@/components/ui/toast";
import { DangerZone } from "./danger-zone";

export function OrganizationTab() {
  const organization = useOrganization();
  return (
    <div className="grid grid-cols-1 gap-6 xl:grid-cols-2">
      <Section title="Name, address and limit">
        <NameForm key={organization.id} />
      </Section>
      <Section title="Another organization">
        <NewForm />
      </Section>
      <DangerZone />
    </div>
  );
}

function NameForm() {
  const organization = useOrganization();
  const may = useMay("change organization");
  const change = useChangeOrganization();
  const [name, setName] = useState(organization.name);
  const [slug, setSlug] = useState(organization.slug);
  const before = organization.runs_at_once ?? 0;
  const [atOnce, setAtOnce] = useState(before === 0 ? "" : String(before));
  const runs_at_once = Number(atOnce);
  const isAsBefore = name === organization.name && slug === organization.slug && runs_at_once === before;
  const send = (event: SyntheticEvent) => {
    event.preventDefault();
    change.mutate(
      { name, slug, runs_at_once },
      { onSuccess: () => toast("success", "The organization was changed.") },
    );
  };
  return (
    <Card className="p-5">
      <form onSubmit={send} className="flex max-w-md flex-col gap-4">
        <Field label="Name">
          {(control) => (
            <Input
              {...control}
              value={name}
              disabled={!may.allowed}
              required
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Field label="Slug" help="By which calls and command lines name it: small letters, digits and -.">
          {(control) => (
            <Input
              {...control}
              value={slug}
              disabled={!may.allowed}
              pattern="[a-z0-9]+(-[a-z0-9]+)*"
              required
              onChange={(event) => setSlug(event.target.value)}
            />
          )}
        </Field>
        <Field
          label="Runs at once"
          isOptional
          help="Others wait for their turn; left empty, as many as there are."
        >
          {(control) => (
            <Input
              {...control}
              value={atOnce}
              disabled={!may.allowed}
              inputMode="numeric"
              pattern="[1-9][0-9]*"
              onChange={(event) => setAtOnce(event.target.value)}
            />
          )}
        </Field>
        <p className="flex items-center gap-1 font-mono text-xs text-muted-foreground">
          {organization.id} <CopyButton text={organization.id} label="Copy id" />
        </p>
        <ProblemAlert title="The organization stays as it was." error={change.error} />
        <Button
          type="submit"
          variant="primary"
          className="self-start"
          refusal={may.reason}
          disabled={isAsBefore}
          isBusy={change.isPending}
        >
          Save
        </Button>
      </form>
    </Card>
  );
}

function NewForm() {
  const make = useMakeOrganization();
  const router = useRouter();
  const [name, setName] = useState("");
  const send = (event: SyntheticEvent) => {
    event.preventDefault();
    make.mutate(name.trim(), {
      onSuccess: ({ id, name }) => {
        switchOrganization(id);
        toast("success", `You are in ${name} now.`);
        void router.navigate({ to: "/" });
      },
    });
  };
  return (
    <Card className="p-5">
      <form onSubmit={send} className="flex max-w-md flex-col gap-4">
        <p className="text-muted-foreground">It has its own members, connections, pipelines and vault.</p>
        <Field label="Name">
          {(control) => (
            <Input {...control} value={name} required onChange={(event) => setName(event.target.value)} />
          )}
        </Field>
        <ProblemAlert title="The organization could not be made." error={make.error} />
        <Button type="submit" className="self-start" isBusy={make.isPending} disabled={name.trim() === ""}>
          Make organization
        </Button>
      </form>
    </Card>
  );
}
