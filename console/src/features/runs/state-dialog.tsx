// From where on a block reads the next time, put by hand.
import { useState } from "react";
import { type StateItem, useSetState } from "@/api/pipeline-state";
import { ProblemAlert } from "@/components/problem-state";
import { Field } from "@/components/ui/field";
import { FormDialog } from "@/components/ui/form-dialog";
import { Input } from "@/components/ui/input";

interface StateDialogProps {
  pipeline: string;
  item: StateItem;
  onClose: () => void;
}

export function StateDialog({ pipeline, item, onClose }: StateDialogProps) {
  const [value, setValue] = useState(item.value);
  const save = useSetState(pipeline);
  return (
    <FormDialog
      onClose={onClose}
      title={`From where ${item.block} reads`}
      description="Rows that lie before it and were not loaded are left out; rows behind it are read again."
      action="Save"
      onSubmit={() => save.mutate({ block: item.block, value: value.trim() }, { onSuccess: onClose })}
      isBusy={save.isPending}
      disabled={value.trim() === "" || value === item.value}
    >
      <Field label={`${item.column} greater than`} help={`As ${item.data_type}, written as it was.`}>
        {(control) => (
          <Input
            {...control}
            spellCheck={false}
            className="font-mono"
            value={value}
            onChange={(event) => setValue(event.target.value)}
          />
        )}
      </Field>
      <ProblemAlert title="The state stays as it was." error={save.error} />
    </FormDialog>
  );
}
