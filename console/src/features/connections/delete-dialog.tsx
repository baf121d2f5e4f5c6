// Asks before a connection is deleted, and names the pipelines that use it.
import { useQuery } from "@tanstack/react-query";
import { type Connection, connectionQuery, useDeleteConnection } from "@/api/connections";
import type { Schemas } from "@/api/types";
import { ProblemAlert } from "@/components/problem-state";
import { Alert } from "@/components/ui/alert";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Skeleton } from "@/components/ui/states";
import { toast } from "@/components/ui/toast";
import { plural } from "@/lib/format";

export function DeleteDialog({ connection, onClose }: { connection: Connection; onClose: () => void }) {
  const { name, id } = connection;
  const remove = useDeleteConnection();
  // Once it is about to go, nobody asks for it any more.
  const detail = useQuery({ ...connectionQuery(id), staleTime: 0, enabled: remove.isIdle || remove.isError });
  const onSuccess = () => {
    toast("success", `${name} was deleted.`);
    onClose();
  };
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title={`Delete connection ${name}?`}
      action="Delete connection"
      onConfirm={() => remove.mutate(id, { onSuccess })}
      isBusy={remove.isPending}
      error={<ProblemAlert title={`${name} could not be deleted.`} error={remove.error} />}
    >
      <p>Its settings and its secrets are gone then; what lies behind it stays as it is.</p>
      {detail.isPending ? (
        <Skeleton className="h-12" />
      ) : detail.error ? (
        <ProblemAlert title="Which pipelines use it is not known." error={detail.error} />
      ) : (
        <Uses pipelines={detail.data.used_by} />
      )}
    </ConfirmDialog>
  );
}

function Uses({ pipelines }: { pipelines: Schemas["ConnectionUser"][] }) {
  if (pipelines.length === 0) return <Alert kind="info">No pipeline uses it.</Alert>;
  return (
    <Alert kind="warning" title={`${plural(pipelines.length, "pipeline")} will fail without it:`}>
      <ul className="mt-1 max-h-40 list-inside list-disc overflow-y-auto">
        {pipelines.map(({ id, name }) => (
          <li key={id}>{name}</li>
        ))}
      </ul>
    </Alert>
  );
}
