// Makes a trigger; the address of a webhook is shown once.
import { useQuery } from "@tanstack/react-query";
import { FolderInput, Webhook, Workflow, X } from "lucide-react";
import { useState } from "react";
import { pipelineSearchQuery } from "@/api/pipelines";
import { pipelineQuery } from "@/api/pipeline-files";
import { type Trigger, useMakeTrigger } from "@/api/triggers";
import { ProblemAlert } from "@/components/problem-state";
import { SecretDialog } from "@/components/secret-dialog";
import { Button } from "@/components/ui/button";
import { ChoiceCard } from "@/components/ui/choice-card";
import { Combobox } from "@/components/ui/combobox";
import { Field } from "@/components/ui/field";
import { FormDialog } from "@/components/ui/form-dialog";
import { Input } from "@/components/ui/input";
import { toast } from "@/components/ui/toast";

interface TriggerDialogProps {
  /** The pipeline that it runs, where that is said already. */
  pipeline: string | undefined;
  onClose: () => void;
}

interface Named {
  id: string;
  name: string;
}

export function TriggerDialog({ pipeline, onClose }: TriggerDialogProps) {
  const [kind, setKind] = useState<Trigger["kind"]>("webhook");
  const [target, setTarget] = useState(pipeline ?? "");
  const [upstream, setUpstream] = useState<readonly Named[]>([]);
  const [place, setPlace] = useState("");
  const [until, setUntil] = useState("");
  const [isTried, setTried] = useState(false);
  const make = useMakeTrigger();
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
  const isIncomplete =
    target === "" ||
    (kind === "upstream" && upstream.length === 0) ||
    (kind === "files" && place.trim() === "");
  const submit = () => {
    setTried(true);
    if (isIncomplete) return;
    make.mutate(
      {
        kind,
        target_type: "pipeline",
        target_id: target,
        ...(kind === "upstream" && { upstream: upstream.map(({ id }) => id) }),
        ...(kind === "files" && { place: place.trim() }),
        ...(until.trim() !== "" && { until: until.trim() }),
      },
      {
        onSuccess: ({ url, target_name }) => {
          if (url !== null) return;
          toast(
            "success",
            `${target_name} runs once they have ${kind === "files" ? "arrived" : "succeeded"}.`,
          );
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
      title="New trigger"
      action="Create trigger"
      onSubmit={submit}
      isBusy={make.isPending}
    >
      <div className="grid gap-2 sm:grid-cols-3">
        <ChoiceCard
          icon={Webhook}
          label="A call"
          words="Runs it when an address is called."
          isChosen={kind === "webhook"}
          onChoose={() => setKind("webhook")}
        />
        <ChoiceCard
          icon={Workflow}
          label="Other pipelines"
          words="Runs it once all of them have succeeded."
          isChosen={kind === "upstream"}
          onChoose={() => setKind("upstream")}
        />
        <ChoiceCard
          icon={FolderInput}
          label="Files"
          words="Runs it when files arrive at a place."
          isChosen={kind === "files"}
          onChoose={() => setKind("files")}
        />
      </div>
      <Field
        label="Pipeline"
        error={isTried && target === "" ? "Choose the pipeline that it runs." : undefined}
      >
        {({ id }) => (
          <PipelineBox id={id} label="Pipeline" value={target} onChange={({ id }) => setTarget(id)} />
        )}
      </Field>
      {kind === "upstream" && (
        <Field
          label="Waits for"
          error={isTried && upstream.length === 0 ? "Choose the pipelines that have to succeed." : undefined}
          help="Each of them, once, since it began a run last."
        >
          {({ id }) => (
            <div className="flex flex-col gap-2">
              {upstream.length > 0 && (
                <ul aria-label="Pipelines that it waits for" className="flex flex-wrap gap-2">
                  {upstream.map((one) => (
                    <li key={one.id} className="flex items-center rounded-lg border border-border pl-3">
                      {one.name}
                      <Button
                        size="icon"
                        variant="ghost"
                        aria-label={`Do not wait for ${one.name}`}
                        onClick={() => setUpstream(upstream.filter(({ id }) => id !== one.id))}
                      >
                        <X aria-hidden />
                      </Button>
                    </li>
                  ))}
                </ul>
              )}
              <PipelineBox
                id={id}
                label="Waits for"
                value=""
                onChange={(one) => setUpstream([...upstream.filter(({ id }) => id !== one.id), one])}
              />
            </div>
          )}
        </Field>
      )}
      {kind === "files" && (
        <Field
          label="Place"
          error={isTried && place.trim() === "" ? "Say where files arrive." : undefined}
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
      )}
      <Field
        label="Only up to block"
        isOptional
        help="Runs this block and what it needs; left empty, all of them."
      >
        {(control) => (
          <Input
            {...control}
            spellCheck={false}
            value={until}
            onChange={(event) => setUntil(event.target.value)}
          />
        )}
      </Field>
      <ProblemAlert title="The trigger was not created." error={make.error} />
    </FormDialog>
  );
}

interface PipelineBoxProps {
  id: string;
  label: string;
  value: string;
  onChange: (chosen: Named) => void;
}

function PipelineBox({ id, label, value, onChange }: PipelineBoxProps) {
  const [search, setSearch] = useState("");
  const { data: found = [] } = useQuery(pipelineSearchQuery(search));
  // The one that was said from the start may not be among those found.
  const { data: said } = useQuery({ ...pipelineQuery(value), enabled: value !== "" });
  const isFound = found.some((one) => one.id === value);
  const all: readonly Named[] = said && !isFound && search === "" ? [said, ...found] : found;
  return (
    <Combobox
      id={id}
      label={label}
      className="w-full"
      value={value}
      choices={all.map(({ id, name }) => ({ value: id, label: name }))}
      onSearch={setSearch}
      onChange={(chosen) => {
        const one = all.find(({ id }) => id === chosen);
        if (one) onChange(one);
      }}
      placeholder="Choose a pipeline…"
    />
  );
}
