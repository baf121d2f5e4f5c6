// Asks what was changed and why, for the list of revisions.
import { useState } from "react";
import { ProblemAlert } from "@/components/problem-state";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
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
  const submit = (event: React.SyntheticEvent) => {
    event.preventDefault();
    onSave(message);
  };
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title="Save a revision"
      description={
        isActive ? "The next run, by hand or by schedule, goes by it." : "The next run goes by it."
      }
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button variant="primary" type="submit" form="save-revision" isBusy={isBusy}>
            Save revision
          </Button>
        </>
      }
    >
      <form id="save-revision" onSubmit={submit} className="flex flex-col gap-3">
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
      </form>
    </Dialog>
  );
}
