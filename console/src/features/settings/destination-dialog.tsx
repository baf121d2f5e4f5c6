// Makes a destination of alerts, or changes one.
import { useState } from "react";
import { useSaveDestination } from "@/api/alerts";
import type { Schemas } from "@/api/types";
import { ProblemAlert } from "@/components/problem-state";
import { Secret } from "@/components/secret";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { Checkbox } from "@/components/ui/toggle";

type Kind = Schemas["DestinationKind"];
type AlertEvent = Schemas["AlertEvent"];

const KINDS = [
  { value: "webhook", label: "Webhook" },
  { value: "slack", label: "Slack" },
  { value: "email", label: "Mail" },
] as const;
const EVENTS: readonly (readonly [AlertEvent, string])[] = [
  ["failed", "A run failed"],
  ["stalled", "A run stands still"],
  ["stale", "A pipeline has not succeeded in time"],
  ["recovered", "A pipeline succeeds again"],
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
  const [addresses, setAddresses] = useState(destination?.addresses.join(", ") ?? "");
  const [events, setEvents] = useState<readonly AlertEvent[]>(
    destination?.events ?? ["failed", "stale", "recovered"],
  );

  if (save.data?.secret) {
    return (
      <Dialog
        isOpen
        isModal
        onClose={onClose}
        title={`${name} was added`}
        footer={<Button onClick={onClose}>Done</Button>}
      >
        <div className="flex flex-col gap-4">
          <Alert kind="warning">
            Its calls are signed with this secret. Copy it now: it is not shown again.
          </Alert>
          <Secret label="Signing secret" text={save.data.secret} />
        </div>
      </Dialog>
    );
  }
  const send = () => {
    const to =
      kind === "email"
        ? { addresses: addresses.split(/[\s,;]+/).filter((address) => address !== "") }
        : url.trim() !== "" && { url: url.trim() };
    const wish = { name: name.trim(), events: [...events], ...(destination === null && { kind }), ...to };
    save.mutate({ id: destination?.id ?? null, wish }, { onSuccess: ({ secret }) => !secret && onClose() });
  };
  return (
    <Dialog isOpen onClose={onClose} title={destination ? `Change ${destination.name}` : "New destination"}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
        className="flex flex-col gap-5"
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
        <fieldset className="flex flex-col gap-1">
          <legend className="mb-2 font-medium">Told of every pipeline when</legend>
          {EVENTS.map(([event, words]) => (
            <Checkbox
              key={event}
              label={words}
              isOn={events.includes(event)}
              onChange={(isOn) =>
                setEvents(isOn ? [...events, event] : events.filter((other) => other !== event))
              }
            />
          ))}
        </fieldset>
        <ProblemAlert title="The destination could not be saved." error={save.error} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" isBusy={save.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
