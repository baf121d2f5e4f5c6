// Makes a trigger, or changes one; the address of a webhook is shown once.
import { useState } from "react";
import { ApiProblem } from "@/api/problem";
import { type Trigger, useChangeTrigger, useMakeTrigger } from "@/api/triggers";
import { ParamsFields, useParams } from "@/components/params-fields";
import { ProblemAlert } from "@/components/problem-state";
import { SecretDialog } from "@/components/secret-dialog";
import { Field } from "@/components/ui/field";
import { FormDialog } from "@/components/ui/form-dialog";
import { Input } from "@/components/ui/input";
import { toast } from "@/components/ui/toast";
import { UntilField } from "@/components/until-field";
import { type Named, PipelineBox } from "./pipeline-box";
import { TriggerKinds } from "./trigger-kinds";
import { nameOf } from "./trigger-words";
import { UpstreamField } from "./upstream-field";

interface TriggerDialogProps {
  /** The one that is changed; null makes one. */
  trigger: Trigger | null;
  /** The pipeline that a new one runs, where that is said already. */
  pipeline: string | undefined;
  onClose: () => void;
}

const EVERY_S = { usual: 30, least: 5, most: 86_400 };

export function TriggerDialog({ trigger, pipeline, onClose }: TriggerDialogProps) {
  const [kind, setKind] = useState<Trigger["kind"]>(trigger?.kind ?? "webhook");
  const [target, setTarget] = useState(trigger?.target_id ?? pipeline ?? "");
  const [upstream, setUpstream] = useState<readonly Named[]>(() =>
    (trigger?.upstream ?? []).map(({ upstream_id, upstream_name }) => ({
      id: upstream_id,
      name: upstream_name,
    })),
  );
  const [place, setPlace] = useState(trigger?.place ?? "");
  const [every, setEvery] = useState(String(trigger?.every_seconds ?? EVERY_S.usual));
  const [until, setUntil] = useState(trigger?.until ?? "");
  const [isTried, setTried] = useState(false);
  const params = useParams(target === "" ? null : { type: "pipeline", id: target }, {
    kept: trigger?.params,
    mayMiss: kind === "webhook",
  });
  const [make, change] = [useMakeTrigger(), useChangeTrigger()];
  const error = make.error ?? change.error;
  const wrong = (field: string) =>
    error instanceof ApiProblem && error.field === field ? error.message : undefined;
  if (make.data?.url) {
    return (
      <SecretDialog
        title={`The webhook of ${make.data.target_name}`}
        label="Address"
        secret={make.data.url}
        words="Copy it now: whoever has it may begin runs, and it is not shown again."
        onClose={onClose}
      >
        <p className="text-muted-foreground">
          It is called by POST. Members of a JSON body are parameters of the run; one run begins for each{" "}
          <code>Idempotency-Key</code>.
        </p>
      </SecretDialog>
    );
  }
  const seconds = Number(every);
  const isOften = Number.isInteger(seconds) && seconds >= EVERY_S.least && seconds <= EVERY_S.most;
  const isIncomplete =
    target === "" ||
    params.isWrong ||
    (kind === "upstream" && upstream.length === 0) ||
    (kind === "files" && (place.trim() === "" || !isOften));
  const submit = () => {
    setTried(true);
    if (isIncomplete) return;
    const part = {
      until,
      ...(kind === "upstream" && { upstream: upstream.map(({ id }) => id) }),
      ...(kind === "files" && { place: place.trim(), every_seconds: seconds }),
      ...(params.values && { params: params.values }),
    };
    if (trigger) change.mutate({ id: trigger.id, ...part }, { onSuccess: onClose });
    else
      make.mutate(
        { kind, target_type: "pipeline", target_id: target, ...part },
        {
          onSuccess: ({ url, target_name }) => {
            if (url !== null) return;
            const words = kind === "files" ? "arrived" : "succeeded";
            toast("success", `${target_name} runs once they have ${words}.`);
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
      title={trigger ? `Change ${nameOf(trigger)}` : "New trigger"}
      action={trigger ? "Save" : "Create trigger"}
      onSubmit={submit}
      isBusy={make.isPending || change.isPending}
    >
      {!trigger && (
        <>
          <TriggerKinds value={kind} onChange={setKind} />
          <Field
            label="Pipeline"
            error={isTried && target === "" ? "Choose the pipeline that it runs." : undefined}
          >
            {({ id }) => (
              <PipelineBox
                id={id}
                label="Pipeline"
                value={target}
                onChange={({ id }) => {
                  setTarget(id);
                  setUntil("");
                }}
              />
            )}
          </Field>
        </>
      )}
      {kind === "upstream" && (
        <UpstreamField
          value={upstream}
          onChange={setUpstream}
          error={isTried && upstream.length === 0 ? "Choose the pipelines that have to succeed." : undefined}
        />
      )}
      {kind === "files" && (
        <div className="grid gap-4 sm:grid-cols-[minmax(0,1fr)_10rem]">
          <Field
            label="Place"
            error={isTried && place.trim() === "" ? "Say where files arrive." : wrong("place")}
            help="A connection and a path in it, such as files/raw/*.csv. What is there already is no arrival."
          >
            {(control) => (
              <Input
                {...control}
                spellCheck={false}
                placeholder="files/raw/*.csv"
                value={place}
                onChange={(event) => setPlace(event.target.value)}
              />
            )}
          </Field>
          <Field
            label="Looks every"
            help="In seconds."
            error={
              isTried && !isOften
                ? `From ${EVERY_S.least} to ${EVERY_S.most} seconds.`
                : wrong("every_seconds")
            }
          >
            {(control) => (
              <Input
                {...control}
                inputMode="numeric"
                value={every}
                onChange={(event) => setEvery(event.target.value)}
              />
            )}
          </Field>
        </div>
      )}
      <ParamsFields params={params} isTried={isTried} />
      <UntilField pipeline={target} value={until} onChange={setUntil} error={wrong("until")} />
      <ProblemAlert
        title={trigger ? "The trigger stays as it was." : "The trigger was not created."}
        error={error}
      />
    </FormDialog>
  );
}
