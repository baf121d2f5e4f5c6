// Asks what was changed and why, for the list of revisions.
import { useState } from "react";
import { ProblemAlert } from "@/components/problem-state";
import { Field } from "@/components/ui/field";
import { FormDialog } from "@/components/ui/form-dialog";
import { Input } from "@/components/ui/input";

interface SaveDialogProps {
  onClose: () => void;
  onSave: (message: string) => void;
  isBusy: boolean;
  error: unknown;
  /** Runs from its schedule go by what is saved. */
  isActive: boolean;
}

export function SaveDialog({ onClose, onSave, isBusy, error, isActive }: SaveDialogProps) {
  const [message, setMessage] = useState("");
  return (
    <FormDialog
      onClose={onClose}
      title="Save a revision"
      description={
        isActive ? "The next run, by hand or by schedule, goes by it." : "The next run goes by it."
      }
      action="Save revision"
      onSubmit={() => onSave(message)}
      isBusy={isBusy}
    >
      <Field label="What was changed, and why" isOptional>
        {(control) => (
          <Input
            {...control}
            autoFocus
            value={message}
            onChange={(event) => setMessage(event.target.value)}
          />
        )}
      </Field>
      <ProblemAlert title="It was not saved." error={error} />
    </FormDialog>
  );
}
