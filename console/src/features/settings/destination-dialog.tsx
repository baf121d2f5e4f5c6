// Makes a destination of alerts, or changes one.
import { useState } from "react";
import { useSaveDestination } from "@/api/alerts";
import type { Schemas } from "@/api/types";
import { ProblemAlert } from "@/components/problem-state";
import { Field } from "@/components/ui/field";
import { FormDialog } from "@/components/ui/form-dialog";
import { Input, PasswordInput } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { CheckboxList } from "@/components/ui/toggle";
import { SecretDialog } from "@/components/secret-dialog";

type Kind = Schemas["DestinationKind"];
type AlertEvent = Schemas["AlertEvent"];

const KINDS = [
  { value: "webhook", label: "Webhook" },
  { value: "slack", label: "Slack" },
  { value: "email", label: "Mail" },
] as const;
const EVENTS: readonly { value: AlertEvent; label: string }[] = [
  { value: "failed", label: "A run failed" },
  { value: "stalled", label: "A run stands still" },
  { value: "stale", label: "A pipeline has not succeeded in time" },
  { value: "recovered", label: "A pipeline succeeds again" },
];

interface DestinationDialogProps {
  /** The one that is changed; null for a new one. */
  destination: Schemas["DestinationItem"] | null;
  onClose: () => void;
}

export function DestinationDialog({ destination, onClose }: DestinationDialogProps) {
  const save = useSaveDestination();
  const [name, setName] = useState(destination?.name ?? "");
  const [kind, setKind] = useState<Kind>(destination?.kind ?? "webhook");
  const [url, setUrl] = useState("");
  const [secret, setSecret] = useState("");
  const [addresses, setAddresses] = useState(destination?.addresses.join(", ") ?? "");
  const [events, setEvents] = useState<readonly AlertEvent[]>(
    destination?.events ?? ["failed", "stale", "recovered"],
  );

  if (save.data?.secret) {
    return (
      <SecretDialog
        onClose={onClose}
        title={`${name} was added`}
        words="Its calls are signed with this secret. Copy it now: it is not shown again."
        label="Signing secret"
        secret={save.data.secret}
      />
    );
  }
  const send = () => {
    const to =
      kind === "email"
        ? { addresses: addresses.split(/[\s,;]+/).filter((address) => address !== "") }
        : url.trim() !== "" && { url: url.trim() };
    const wish = {
      name: name.trim(),
      events: [...events],
      ...(destination === null && { kind }),
      ...(kind === "webhook" && secret.trim() !== "" && { secret: secret.trim() }),
      ...to,
    };
    save.mutate({ id: destination?.id ?? null, wish }, { onSuccess: ({ secret }) => !secret && onClose() });
  };
  return (
    <FormDialog
      onClose={onClose}
      title={destination ? `Change ${destination.name}` : "New destination"}
      action="Save"
      onSubmit={send}
      isBusy={save.isPending}
      className="gap-5"
    >
      <div className="grid grid-cols-1 gap-4 sm:grid-cols-2">
        <Field label="Name" help="As pipeline files name it.">
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
        <Field label="Kind">
          {(control) => (
            <Select
              {...control}
              value={kind}
              onChange={setKind}
              choices={KINDS}
              disabled={destination !== null}
            />
          )}
        </Field>
      </div>
      {kind === "email" ? (
        <Field label="Addresses" help="Several with commas between them.">
          {(control) => (
            <Input
              {...control}
              value={addresses}
              onChange={(event) => setAddresses(event.target.value)}
              required
            />
          )}
        </Field>
      ) : (
        <Field
          label="URL"
          help={destination ? "Kept. Type to replace it." : "Sealed, and never shown again."}
        >
          {(control) => (
            <Input
              {...control}
              type="url"
              placeholder="https://"
              value={url}
              required={destination === null}
              autoComplete="off"
              onChange={(event) => setUrl(event.target.value)}
            />
          )}
        </Field>
      )}
      {kind === "webhook" && (
        <Field
          label="Signing secret"
          isOptional
          help={
            destination
              ? "Kept. Type to replace it: whsec_ and base64."
              : "whsec_ and base64; left empty, one is made and shown once."
          }
        >
          {(control) => (
            <PasswordInput
              {...control}
              value={secret}
              autoComplete="off"
              onChange={(event) => setSecret(event.target.value)}
            />
          )}
        </Field>
      )}
      <CheckboxList
        legend="Told of every pipeline when"
        chosen={events}
        onChange={setEvents}
        choices={EVENTS}
      />
      <ProblemAlert title="The destination could not be saved." error={save.error} />
    </FormDialog>
  );
}
