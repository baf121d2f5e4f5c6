// Asks before a file is deleted.
import { type StoredFile, useDeleteFile } from "@/api/files";
import { ProblemAlert } from "@/components/problem-state";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { toast } from "@/components/ui/toast";
import { referenceOf } from "./names";

export function DeleteFileDialog({ file, onClose }: { file: StoredFile; onClose: () => void }) {
  const remove = useDeleteFile();
  const onSuccess = () => {
    toast("success", `${file.name} was deleted.`);
    onClose();
  };
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title={`Delete ${file.name}?`}
      action="Delete file"
      onConfirm={() => remove.mutate(file.id, { onSuccess })}
      isBusy={remove.isPending}
      error={<ProblemAlert title="The file was not deleted." error={remove.error} />}
    >
      <p>
        Pipelines that read <code className="font-mono text-xs">{referenceOf(file)}</code> will fail, and
        links to it lead nowhere. This cannot be undone.
      </p>
    </ConfirmDialog>
  );
}
