// A folder that is there once a file lies in it.
import { useState } from "react";
import { Field } from "@/components/ui/field";
import { FormDialog } from "@/components/ui/form-dialog";
import { Input } from "@/components/ui/input";

interface FolderDialogProps {
  /** The one that it is to lie in. */
  folder: string;
  onGo: (folder: string) => void;
  onClose: () => void;
}

export function FolderDialog({ folder, onGo, onClose }: FolderDialogProps) {
  const [name, setName] = useState("");
  const [isTried, setTried] = useState(false);
  const wrong = /^[^._\s][^\\*?[\]#]*$/.test(name)
    ? undefined
    : "Names begin with a letter or digit, and have none of \\ * ? [ ] #.";
  const submit = () => {
    setTried(true);
    if (wrong) return;
    onClose();
    onGo([folder, name.replace(/\/+$/, "")].filter((part) => part !== "").join("/"));
  };
  return (
    <FormDialog
      onClose={onClose}
      title={folder === "" ? "New folder" : `New folder in ${folder}`}
      description="It is there once a file lies in it."
      action="Open folder"
      onSubmit={submit}
    >
      <Field label="Folder name" error={isTried ? wrong : undefined}>
        {(control) => (
          <Input {...control} autoFocus value={name} onChange={(event) => setName(event.target.value)} />
        )}
      </Field>
    </FormDialog>
  );
}
