// API keys: what programs call with, each with its scopes and its end.
import { useSuspenseQuery } from "@tanstack/react-query";
import { KeyRound, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { keysQuery, useRevokeKey } from "@/api/keys";
import { useOrganization } from "@/api/me";
import type { Schemas } from "@/api/types";
import { ProblemAlert } from "@/components/problem-state";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Section } from "@/components/ui/card";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { type Column, DataTable } from "@/components/ui/data-table";
import { EmptyState } from "@/components/ui/states";
import { toast } from "@/components/ui/toast";
import { Time } from "@/components/ui/values";
import { KeyDialog } from "./key-dialog";

type Key = Schemas["ApiKey"];

export function KeysTab() {
  const { id } = useOrganization();
  const { data: keys } = useSuspenseQuery(keysQuery(id));
  const [isMaking, setMaking] = useState(false);
  const [revoked, setRevoked] = useState<Key | null>(null);
  const make = (
    <Button variant="primary" onClick={() => setMaking(true)}>
      <Plus aria-hidden /> New API key
    </Button>
  );
  const columns: readonly Column<Key>[] = [
    { id: "name", header: "Name", cell: ({ name }) => <span className="font-medium">{name}</span> },
    { id: "key", header: "Key", cell: ({ prefix }) => <code className="font-mono text-xs">{prefix}…</code> },
    {
      id: "scopes",
      header: "Scopes",
      cell: ({ scopes }) => (
        <span className="flex max-w-md flex-wrap gap-1">
          {scopes.map((scope) => (
            <Badge key={scope}>{scope}</Badge>
          ))}
        </span>
      ),
    },
    { id: "used", header: "Last used", cell: ({ last_used_at }) => <Time at={last_used_at} /> },
    { id: "until", header: "Until", cell: ({ expires_at }) => <Time at={expires_at} none="for ever" /> },
    {
      id: "acts",
      header: "",
      align: "right",
      cell: (key) => (
        <Button
          variant="ghost"
          size="icon"
          className="text-danger"
          aria-label={`Revoke ${key.name}`}
          onClick={() => setRevoked(key)}
        >
          <Trash2 aria-hidden />
        </Button>
      ),
    },
  ];
  return (
    <Section title="API keys" aside={keys.length > 0 && make}>
      {keys.length === 0 ? (
        <EmptyState
          icon={KeyRound}
          title="Programs and command lines call with API keys: there are none yet."
          action={make}
          link={
            <a href="/docs" target="_blank" rel="noreferrer">
              What can be called
            </a>
          }
        />
      ) : (
        <DataTable label="API keys" rows={keys} columns={columns} rowId={({ id }) => id} />
      )}
      {isMaking && <KeyDialog onClose={() => setMaking(false)} />}
      {revoked && <RevokeDialog apiKey={revoked} onClose={() => setRevoked(null)} />}
    </Section>
  );
}

function RevokeDialog({ apiKey, onClose }: { apiKey: Key; onClose: () => void }) {
  const revoke = useRevokeKey();
  const onSuccess = () => {
    toast("success", `${apiKey.name} does not count any more.`);
    onClose();
  };
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title={`Revoke API key ${apiKey.name}?`}
      action="Revoke"
      onConfirm={() => revoke.mutate(apiKey.id, { onSuccess })}
      isBusy={revoke.isPending}
      error={<ProblemAlert title="The key still counts." error={revoke.error} />}
    >
      <p>
        Programs that call with it are refused at once. It was last used: <Time at={apiKey.last_used_at} />.
      </p>
    </ConfirmDialog>
  );
}
