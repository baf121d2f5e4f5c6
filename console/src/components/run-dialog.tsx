// Runs a pipeline otherwise than usual: with parameters, from the beginning, in part, before others.
import { useState } from "react";
import { type Run, useBeginRun } from "@/api/runs";
import { ParamsFields, useParams } from "./params-fields";
import { ProblemAlert } from "./problem-state";
import { Field } from "./ui/field";
import { FormDialog } from "./ui/form-dialog";
import { Select } from "./ui/select";
import { Switch } from "./ui/toggle";
import { UntilField } from "./until-field";

const PRIORITIES = [
  { value: "", label: "As its file says" },
  { value: "low", label: "Low" },
  { value: "normal", label: "Normal" },
  { value: "high", label: "High" },
] as const;

interface RunDialogProps {
  pipeline: string;
  name: string;
  onClose: () => void;
  onBegun: (run: Run) => void;
}

export function RunDialog({ pipeline, name, onClose, onBegun }: RunDialogProps) {
  const begin = useBeginRun();
  const params = useParams({ type: "pipeline", id: pipeline });
  const [until, setUntil] = useState("");
  const [priority, setPriority] = useState<(typeof PRIORITIES)[number]["value"]>("");
  const [isFull, setFull] = useState(false);
  const [isTried, setTried] = useState(false);
  const submit = () => {
    setTried(true);
    if (params.isWrong) return;
    begin.mutate(
      {
        pipeline,
        full_refresh: isFull,
        ...(params.values && { params: params.values }),
        ...(until !== "" && { until }),
        ...(priority !== "" && { priority }),
      },
      {
        onSuccess: (run) => {
          onClose();
          onBegun(run);
        },
      },
    );
  };
  return (
    <FormDialog
      noValidate
      onClose={onClose}
      title={`Run ${name}`}
      action="Run"
      onSubmit={submit}
      isBusy={begin.isPending}
    >
      <ParamsFields params={params} isTried={isTried} />
      <div className="grid gap-4 sm:grid-cols-2">
        <UntilField pipeline={pipeline} value={until} onChange={setUntil} />
        <Field label="Priority" help="Which of the runs that wait for their turn comes first.">
          {(control) => <Select {...control} value={priority} choices={PRIORITIES} onChange={setPriority} />}
        </Field>
      </div>
      <Switch
        isOn={isFull}
        onChange={setFull}
        label="Read everything anew"
        help="Incremental extracts begin again, and sources are taken as they are now."
      />
      <ProblemAlert title="It was not run." error={begin.error} />
    </FormDialog>
  );
}
