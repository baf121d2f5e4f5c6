// Runs a transformation otherwise than usual: with parameters, after what it refers to, from the beginning.
import { useState } from "react";
import { type Transformation, type TransformationRun, useRunTransformation } from "@/api/transformations";
import { ParamsFields, useParams } from "@/components/params-fields";
import { ProblemAlert } from "@/components/problem-state";
import { FormDialog } from "@/components/ui/form-dialog";
import { Switch } from "@/components/ui/toggle";

interface RunDialogProps {
  transformation: Transformation;
  onClose: () => void;
  onBegun: (run: string) => void;
}

export function RunDialog({ transformation, onClose, onBegun }: RunDialogProps) {
  const { id, name, materialization } = transformation;
  const run = useRunTransformation();
  const params = useParams({ type: "transformation", id });
  const [upstream, setUpstream] = useState(false);
  const [full, setFull] = useState(false);
  const [isTried, setTried] = useState(false);
  const submit = () => {
    setTried(true);
    if (params.isWrong) return;
    const wish: TransformationRun = { id, upstream, full, ...(params.values && { params: params.values }) };
    run.mutate(wish, {
      onSuccess: (begun) => {
        onClose();
        onBegun(begun.id);
      },
    });
  };
  return (
    <FormDialog
      noValidate
      onClose={onClose}
      title={`Run ${name}`}
      action="Run"
      onSubmit={submit}
      isBusy={run.isPending}
    >
      <ParamsFields params={params} isTried={isTried} />
      <Switch
        isOn={upstream}
        onChange={setUpstream}
        label="Make what it refers to first"
        help="And what that refers to before it."
      />
      {materialization === "incremental" && (
        <Switch
          isOn={full}
          onChange={setFull}
          label="Read everything anew"
          help="Not only what is new since its last run."
        />
      )}
      <ProblemAlert title="It was not run." error={run.error} />
    </FormDialog>
  );
}
