// Makes an API key, and shows it once.
import { useState } from "react";
import { useMakeKey } from "@/api/keys";
import type { Schemas } from "@/api/types";
import { ProblemAlert } from "@/components/problem-state";
import { Field } from "@/components/ui/field";
import { FormDialog } from "@/components/ui/form-dialog";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { CheckboxList } from "@/components/ui/toggle";
import { SecretDialog } from "@/components/secret-dialog";

type Scope = Schemas["Scope"];

const SCOPES: readonly (readonly [Scope, string])[] = [
  ["organization:read", "Look at the organization and its members"],
  ["organization:write", "Change the organization and its members"],
  ["connections:read", "Look at connections"],
  ["connections:write", "Make, change, test and delete connections"],
  ["pipelines:read", "Look at pipelines and schedules"],
  ["pipelines:write", "Change and run pipelines and schedules"],
  ["runs:read", "Look at runs"],
  ["runs:write", "Cancel and retry runs"],
  ["files:read", "Look at files, read them and link to them"],
  ["files:write", "Upload and delete files"],
  ["events:read", "Be told what happens"],
  ["vault", "Unlock and lock the vault"],
];
const ENDS = [
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "A year" },
  { value: "", label: "For ever" },
] as const;
const DAY_MS = 86_400_000;

export function KeyDialog({ onClose }: { onClose: () => void }) {
  const make = useMakeKey();
  const [name, setName] = useState("");
  const [days, setDays] = useState<(typeof ENDS)[number]["value"]>("90");
  const [scopes, setScopes] = useState<readonly Scope[]>(["pipelines:read", "runs:read"]);
  if (make.data) {
    return (
      <SecretDialog
        onClose={onClose}
        title={`API key ${make.data.name}`}
        words="Copy it now: it is not shown again."
        label="API key"
        secret={make.data.key}
      >
        <p className="text-muted-foreground">
          The command line takes it from <code>FLOWETL_API_KEY</code>.
        </p>
      </SecretDialog>
    );
  }
  const send = () =>
    make.mutate({
      name: name.trim(),
      scopes: [...scopes],
      ...(days !== "" && { expires_at: new Date(Date.now() + Number(days) * DAY_MS).toISOString() }),
    });
  return (
    <FormDialog
      onClose={onClose}
      title="New API key"
      description="It may do what you may, within its scopes."
      action="Make key"
      onSubmit={send}
      isBusy={make.isPending}
      disabled={name.trim() === "" || scopes.length === 0}
      className="gap-5"
    >
      <div className="grid grid-cols-1 gap-4 sm:grid-cols-2">
        <Field label="Name">
          {(control) => (
            <Input
              {...control}
              value={name}
              onChange={(event) => setName(event.target.value)}
              required
              autoFocus
            />
          )}
        </Field>
        <Field label="It counts for">
          {(control) => <Select {...control} value={days} onChange={setDays} choices={ENDS} />}
        </Field>
      </div>
      <CheckboxList
        legend="Scopes"
        chosen={scopes}
        onChange={setScopes}
        choices={SCOPES.map(([value, words]) => ({
          value,
          label: (
            <>
              {words} <code className="ml-1 text-xs text-muted-foreground">{value}</code>
            </>
          ),
        }))}
      />
      <ProblemAlert title="The key could not be made." error={make.error} />
    </FormDialog>
  );
}
