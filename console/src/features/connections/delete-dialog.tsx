// Asks before a connection is deleted, and names the pipelines that use it.
import { useQuery } from "@tanstack/react-query";
import { type Connection, useDeleteConnection } from "@/api/connections";
import { dependentsQuery } from "@/api/pipelines";
import { ProblemAlert } from "@/components/problem-state";
import { Alert } from "@/components/ui/alert";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Skeleton } from "@/components/ui/states";
import { toast } from "@/components/ui/toast";
import { plural } from "@/lib/format";

export function DeleteDialog({ connection, onClose }: { connection: Connection; onClose: () => void }) {
  const { name, id } = connection;
  const remove = useDeleteConnection();
  const dependents = useQuery({ ...dependentsQuery(name), staleTime: 0 });
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
      {dependents.isPending ? (
        <Skeleton className="h-12" />
      ) : dependents.error ? (
        <ProblemAlert title="Which pipelines use it is not known." error={dependents.error} />
      ) : (
        <Uses names={dependents.data.names} isCut={dependents.data.isCut} />
      )}
    </ConfirmDialog>
  );
}

function Uses({ names, isCut }: { names: string[]; isCut: boolean }) {
  const more = isCut && <p className="mt-1">Only 100 pipelines were looked at: there may be more.</p>;
  if (names.length === 0)
    return (
      <Alert kind="info">
        No pipeline uses it.
        {more}
      </Alert>
    );
  return (
    <Alert kind="warning" title={`${plural(names.length, "pipeline")} will fail without it:`}>
      <ul className="mt-1 max-h-40 list-inside list-disc overflow-y-auto">
        {names.map((name) => (
          <li key={name}>{name}</li>
        ))}
      </ul>
      {more}
    </Alert>
  );
}
