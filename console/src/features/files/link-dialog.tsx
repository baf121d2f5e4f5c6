// A link that leads whoever has it to a file, for a while.
import { useState } from "react";
import { type StoredFile, useLinkFile } from "@/api/files";
import { ProblemAlert } from "@/components/problem-state";
import { Secret } from "@/components/secret";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Select } from "@/components/ui/select";
import { Time } from "@/components/ui/values";

const TIMES = [
  { value: "3600", label: "One hour" },
  { value: "86400", label: "One day" },
  { value: "604800", label: "One week" },
];

export function LinkDialog({ file, onClose }: { file: StoredFile; onClose: () => void }) {
  const [seconds, setSeconds] = useState("3600");
  const link = useLinkFile();
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={`Link to ${file.name}`}
      description="Whoever has it reads the file without signing in, until it expires."
      footer={
        <>
          <Button onClick={onClose}>{link.data ? "Done" : "Cancel"}</Button>
          {!link.data && (
            <Button
              variant="primary"
              isBusy={link.isPending}
              onClick={() => link.mutate({ file: file.id, seconds: Number(seconds) })}
            >
              Create link
            </Button>
          )}
        </>
      }
    >
      <div className="flex flex-col gap-4">
        {link.data ? (
          <>
            <Secret label="Link" text={link.data.url} />
            <p>
              It expires <Time at={link.data.expiresAt} />, or once the file is deleted.
            </p>
          </>
        ) : (
          <Field label="Expires after">
            {(control) => <Select {...control} value={seconds} onChange={setSeconds} choices={TIMES} />}
          </Field>
        )}
        <ProblemAlert title="There is no link." error={link.error} />
      </div>
    </Dialog>
  );
}
