// Copies of the installation's database: made, taken out, deleted. Bringing one back is told, and done by the command line.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { DatabaseBackup, Download, Trash2 } from "lucide-react";
import { useState } from "react";
import { type Backup, backupsQuery, useDeleteBackup, useMakeBackup, useReadBackup } from "@/api/backups";
import { ProblemAlert, ProblemState } from "@/components/problem-state";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Section } from "@/components/ui/card";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { CopyButton } from "@/components/ui/copy-button";
import { type Column, DataTable } from "@/components/ui/data-table";
import { EmptyState, Skeleton } from "@/components/ui/states";
import { toast } from "@/components/ui/toast";
import { Bytes, Time } from "@/components/ui/values";
import { saveFile } from "@/lib/save-file";

export function Backups() {
  const { data: backups, error, refetch } = useQuery(backupsQuery);
  const [deleted, setDeleted] = useState<Backup | null>(null);
  const make = useMakeBackup();
  const read = useReadBackup();
  if (error && !backups)
    return (
      <ProblemState title="The backups could not be loaded." error={error} onRetry={() => void refetch()} />
    );
  if (!backups) return <Skeleton className="h-48 rounded-xl" />;
  const makeButton = (
    <Button
      variant="primary"
      isBusy={make.isPending}
      onClick={() =>
        make.mutate(undefined, { onSuccess: ({ name }) => toast("success", `${name} was made.`) })
      }
    >
      {!make.isPending && <DatabaseBackup aria-hidden />} Back up now
    </Button>
  );
  const columns: readonly Column<Backup>[] = [
    { id: "name", header: "Name", cell: ({ name }) => <code className="font-mono text-xs">{name}</code> },
    { id: "made", header: "Made", cell: ({ created_at }) => <Time at={created_at} /> },
    { id: "size", header: "Size", align: "right", cell: ({ size }) => <Bytes value={size} /> },
    {
      id: "acts",
      header: "",
      align: "right",
      cell: (backup) => (
        <span className="flex justify-end gap-1">
          <Button
            variant="ghost"
            size="icon"
            aria-label={`Download ${backup.name}`}
            isBusy={read.isPending && read.variables === backup.name}
            onClick={() =>
              read.mutate(backup.name, { onSuccess: (content) => saveFile(backup.name, content) })
            }
          >
            {!(read.isPending && read.variables === backup.name) && <Download aria-hidden />}
          </Button>
          <Button
            variant="ghost"
            size="icon"
            className="text-danger"
            aria-label={`Delete ${backup.name}`}
            onClick={() => setDeleted(backup)}
          >
            <Trash2 aria-hidden />
          </Button>
        </span>
      ),
    },
  ];
  return (
    <Section title="Backups" aside={backups.length > 0 && makeButton}>
      <ProblemAlert title="The backup was not made." error={make.error} />
      <ProblemAlert title="The backup could not be downloaded." error={read.error} />
      {backups.length === 0 ? (
        <EmptyState
          icon={DatabaseBackup}
          title="A backup is a copy of the whole metadata database: pipelines, runs, people. There is none yet."
          action={makeButton}
          link={
            <Link to="/settings" search={{ tab: "vault" }}>
              The key that opens secrets is kept apart
            </Link>
          }
        />
      ) : (
        <DataTable label="Backups" rows={backups} columns={columns} rowId={({ name }) => name} />
      )}
      <Alert kind="info" title="To bring one back">
        <p>
          Stop the service, and take the backup into an empty installation by its command line. Uploaded files
          and the key that opens secrets are not in it.
        </p>
        <Restore name={backups[0]?.name ?? "BACKUP"} />
      </Alert>
      {deleted && <DeleteDialog backup={deleted} onClose={() => setDeleted(null)} />}
    </Section>
  );
}

function Restore({ name }: { name: string }) {
  const command = `flowetl backup restore ${name}`;
  return (
    <p className="mt-2 flex items-center gap-1">
      <code className="rounded bg-foreground/8 px-2 py-1 font-mono text-xs break-all">{command}</code>
      <CopyButton text={command} label="Copy the command" />
    </p>
  );
}

function DeleteDialog({ backup, onClose }: { backup: Backup; onClose: () => void }) {
  const remove = useDeleteBackup();
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title={`Delete backup ${backup.name}?`}
      action="Delete backup"
      onConfirm={() => remove.mutate(backup.name, { onSuccess: onClose })}
      isBusy={remove.isPending}
      error={<ProblemAlert title="The backup was not deleted." error={remove.error} />}
    >
      <p>
        It was made <Time at={backup.created_at} />. This cannot be undone.
      </p>
    </ConfirmDialog>
  );
}
