// Makes a schedule, or changes one.
import { useState } from "react";
import { ApiProblem } from "@/api/problem";
import { type Schedule, useSaveSchedule } from "@/api/schedules";
import { ParamsFields, type Target, useParams } from "@/components/params-fields";
import { ProblemAlert } from "@/components/problem-state";
import { Combobox } from "@/components/ui/combobox";
import { Field } from "@/components/ui/field";
import { FormDialog } from "@/components/ui/form-dialog";
import { Select } from "@/components/ui/select";
import { toast } from "@/components/ui/toast";
import { Checkbox } from "@/components/ui/toggle";
import { UntilField } from "@/components/until-field";
import { CronBuilder } from "./cron-builder";
import { MISSED, MISSED_HELP } from "./missed";
import { TargetField } from "./target-field";

interface ScheduleDialogProps {
  /** The one that is changed; null makes one. */
  schedule: Schedule | null;
  /** What a new one runs, where that is known. */
  suggested: Target | null;
  onClose: () => void;
}

const ZONES = [...new Set(["UTC", ...Intl.supportedValuesOf("timeZone")])];

export function ScheduleDialog({ schedule, suggested, onClose }: ScheduleDialogProps) {
  const [target, setTarget] = useState(
    schedule ? { type: schedule.target_type, id: schedule.target_id } : suggested,
  );
  const [cron, setCron] = useState(schedule?.cron_expression ?? "0 3 * * *");
  const [timezone, setTimezone] = useState(
    schedule?.timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
  );
  const [missed, setMissed] = useState<Schedule["missed"]>(schedule?.missed ?? "skip");
  const [until, setUntil] = useState(schedule?.until ?? "");
  const [withUpstream, setWithUpstream] = useState(schedule?.with_upstream ?? false);
  const [hasTried, setTried] = useState(false);
  const isPipeline = target?.type !== "transformation";
  const params = useParams(target, { kept: schedule?.params });
  const save = useSaveSchedule();
  const wrong = save.error instanceof ApiProblem ? save.error : null;
  const cronWrong = wrong?.field === "cron_expression" ? wrong.message : undefined;
  const submit = () => {
    setTried(true);
    if (!target || cron.trim() === "" || params.isWrong) return;
    const part = {
      cron_expression: cron.trim(),
      timezone,
      missed,
      ...(isPipeline ? { until } : { with_upstream: withUpstream }),
      ...(params.values && { params: params.values }),
    };
    save.mutate(
      schedule
        ? { id: schedule.id, ...part }
        : { ...part, target_type: target.type, target_id: target.id, is_active: true },
      {
        onSuccess: (saved) => {
          toast("success", `${saved.target_name} runs: ${saved.text}.`);
          onClose();
        },
      },
    );
  };
  return (
    <FormDialog
      isModal
      noValidate
      onClose={onClose}
      title={schedule ? `Schedule of ${schedule.target_name}` : "New schedule"}
      action={schedule ? "Save" : "Create schedule"}
      onSubmit={submit}
      isBusy={save.isPending}
    >
      {!schedule && (
        <TargetField
          target={target}
          onChange={(chosen) => {
            setTarget(chosen);
            setUntil("");
          }}
          error={hasTried && !target ? "Choose what it runs." : undefined}
        />
      )}
      <CronBuilder value={cron} onChange={setCron} timezone={timezone} error={cronWrong} />
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="Time zone">
          {({ id }) => (
            <Combobox
              id={id}
              label="Time zone"
              className="w-full"
              value={timezone}
              choices={ZONES.map((zone) => ({ value: zone, label: zone }))}
              onChange={setTimezone}
            />
          )}
        </Field>
        <Field label="Missed times" help={MISSED_HELP[missed]}>
          {(control) => (
            <Select
              {...control}
              value={missed}
              choices={[
                { value: "skip", label: MISSED.skip },
                { value: "run_now", label: MISSED.run_now },
                { value: "queue", label: MISSED.queue },
              ]}
              onChange={setMissed}
            />
          )}
        </Field>
      </div>
      <ParamsFields params={params} isTried={hasTried} />
      {isPipeline ? (
        <UntilField
          pipeline={target?.id ?? ""}
          value={until}
          onChange={setUntil}
          error={wrong?.field === "until" ? wrong.message : undefined}
        />
      ) : (
        <Checkbox
          isOn={withUpstream}
          onChange={setWithUpstream}
          label="Make what it refers to first"
          help="Transformations that it refers to are run before it, each after what it needs."
        />
      )}
      {!cronWrong && <ProblemAlert title="The schedule could not be saved." error={save.error} />}
    </FormDialog>
  );
}
