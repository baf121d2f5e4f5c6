// Taking connections out as one document, and bringing such a document in.
import { type ChangeEvent, useState } from "react";
import { z } from "@/lib/z";
import { useExportConnections, useImportConnections } from "@/api/connections";
import { useMay } from "@/api/me";
import type { Schemas } from "@/api/types";
import { ProblemAlert } from "@/components/problem-state";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input, PasswordInput } from "@/components/ui/input";
import { toast } from "@/components/ui/toast";
import { Switch } from "@/components/ui/toggle";
import { saveFile } from "@/lib/save-file";

export function ExportDialog({ onClose }: { onClose: () => void }) {
  const may = useMay("take out secrets");
  const [passphrase, setPassphrase] = useState("");
  const out = useExportConnections();
  const send = () =>
    out.mutate(passphrase, {
      onSuccess: (document) => {
        saveFile("connections.json", JSON.stringify(document, null, 2));
        toast("success", `${document.connections.length} connections were exported.`);
        onClose();
      },
    });
  const footer = (
    <>
      <Button onClick={onClose}>Cancel</Button>
      <Button variant="primary" onClick={send} isBusy={out.isPending}>
        Export
      </Button>
    </>
  );
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title="Export connections"
      description="All of them, as one file."
      footer={footer}
    >
      <div className="flex flex-col gap-4">
        <Field
          label="Passphrase for the secrets"
          isOptional
          help={
            may.reason ?? "With it the file has the secrets, too, sealed by it. Without it they are left out."
          }
        >
          {(control) => (
            <PasswordInput
              {...control}
              value={passphrase}
              disabled={!may.allowed}
              autoComplete="new-password"
              onChange={(event) => setPassphrase(event.target.value)}
            />
          )}
        </Field>
        <ProblemAlert title="The connections could not be exported." error={out.error} />
      </div>
    </Dialog>
  );
}

const settings = z.record(z.string(), z.unknown());
const document = z.object({
  version: z.number(),
  encryption: z.nullish(z.object({ salt: z.string(), iterations: z.number() })),
  connections: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      direction: z.optional(z.enum(["source", "destination", "both"])),
      folder: z.optional(z.string()),
      config: z.optional(settings),
      secrets: z.optional(z.record(z.string(), z.string())),
    }),
  ),
});

export function ImportDialog({ onClose }: { onClose: () => void }) {
  const [file, setFile] = useState<Schemas["Exported"] | null>(null);
  const [wrong, setWrong] = useState<string | undefined>();
  const [replaces, setReplaces] = useState(false);
  const [passphrase, setPassphrase] = useState("");
  const bring = useImportConnections();
  const needsPassphrase = Boolean(file?.encryption);

  const read = async (event: ChangeEvent<HTMLInputElement>) => {
    const text = await event.target.files?.[0]?.text();
    if (text === undefined) return;
    const parsed = document.safeParse(parseJson(text));
    setFile(parsed.success ? withoutGaps(parsed.data) : null);
    setWrong(parsed.success ? undefined : "This is no file of exported connections.");
  };
  const send = () => {
    if (!file) return;
    const more = needsPassphrase ? { passphrase } : {};
    bring.mutate({ ...file, ...more, existing: replaces ? "replace" : "skip" });
  };
  const footer = bring.data ? (
    <Button variant="primary" onClick={onClose}>
      Done
    </Button>
  ) : (
    <>
      <Button onClick={onClose}>Cancel</Button>
      <Button
        variant="primary"
        onClick={send}
        isBusy={bring.isPending}
        disabled={!file || (needsPassphrase && passphrase === "")}
      >
        Import {file ? file.connections.length : ""}
      </Button>
    </>
  );
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title="Import connections"
      description="From an exported file."
      footer={footer}
    >
      {bring.data ? (
        <Outcome outcome={bring.data} />
      ) : (
        <div className="flex flex-col gap-4">
          <Field label="File" error={wrong}>
            {(control) => (
              <Input
                {...control}
                type="file"
                accept=".json,application/json"
                className="h-10 py-2 file:mr-3 file:font-medium file:text-link"
                onChange={(event) => void read(event)}
              />
            )}
          </Field>
          {needsPassphrase && (
            <Field label="Passphrase" help="That of the export: the secrets are sealed by it.">
              {(control) => (
                <PasswordInput
                  {...control}
                  value={passphrase}
                  autoComplete="off"
                  onChange={(event) => setPassphrase(event.target.value)}
                />
              )}
            </Field>
          )}
          <Switch
            isOn={replaces}
            onChange={setReplaces}
            label="Replace those of the same name"
            help="Otherwise they stay as they are."
          />
          <ProblemAlert title="The connections could not be imported." error={bring.error} />
        </div>
      )}
    </Dialog>
  );
}

function Outcome({ outcome }: { outcome: Schemas["Imported"] }) {
  const { created, replaced, skipped, refused } = outcome;
  const said = [
    [created, "created"],
    [replaced, "replaced"],
    [skipped, "left as they were"],
  ] as const;
  return (
    <div className="flex flex-col gap-3">
      <Alert kind="success">
        {said.map(
          ([names, word]) =>
            names.length > 0 && <p key={word}>{`${names.length} ${word}: ${names.join(", ")}.`}</p>,
        )}
        {created.length + replaced.length + skipped.length === 0 && <p>Nothing was brought in.</p>}
      </Alert>
      {refused.length > 0 && (
        <Alert kind="danger" title={`${refused.length} refused`}>
          {refused.map(({ name, message }) => (
            <p key={name}>
              {name}: {message}
            </p>
          ))}
        </Alert>
      )}
    </div>
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** As the API takes it: what is not there is not there at all. */
function withoutGaps(read: z.infer<typeof document>): Schemas["Exported"] {
  const connections = read.connections.map(({ name, type, direction, folder, config, secrets }) => ({
    name,
    type,
    ...(direction && { direction }),
    ...(folder !== undefined && { folder }),
    ...(config && { config }),
    ...(secrets && { secrets }),
  }));
  return { version: read.version, connections, ...(read.encryption && { encryption: read.encryption }) };
}
