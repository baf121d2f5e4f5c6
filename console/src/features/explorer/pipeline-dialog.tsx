// A pipeline from a table: where it goes and how it is called, and the file that says so.
import { useSuspenseQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { type Connection, connectionsQuery } from "@/api/connections";
import type { TableDetail } from "@/api/discovery";
import { useCreatePipeline } from "@/api/pipeline-files";
import { ProblemAlert } from "@/components/problem-state";
import { CopyButton } from "@/components/ui/copy-button";
import { Field } from "@/components/ui/field";
import { FormDialog } from "@/components/ui/form-dialog";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { toast } from "@/components/ui/toast";
import { nameProblem } from "@/lib/pipeline-name";
import { blockName, pipelineText } from "./pipeline-text";

interface PipelineDialogProps {
  connection: Connection;
  table: TableDetail;
  onClose: () => void;
}

export function PipelineDialog({ connection, table, onClose }: PipelineDialogProps) {
  const { data: connections } = useSuspenseQuery(connectionsQuery);
  const navigate = useNavigate();
  const [name, setName] = useState(blockName(table.name));
  const [to, setTo] = useState("");
  const [schema, setSchema] = useState(table.schema);
  const [isTried, setTried] = useState(false);
  const create = useCreatePipeline();
  const targets = connections.filter(({ id, direction }) => id !== connection.id && direction !== "source");
  const place = to === "" ? "" : `${to}.${schema}.${table.name}`;
  const text = pipelineText({ name, from: table.reference, to: place });
  const wrong = nameProblem(name);
  const submit = () => {
    setTried(true);
    if (wrong) return;
    create.mutate(
      { name, text, status: "draft" },
      {
        onSuccess: ({ id }) => {
          onClose();
          toast("success", `Pipeline ${name} was created as a draft.`);
          void navigate({ to: "/pipelines/$pipeline", params: { pipeline: id } });
        },
      },
    );
  };
  return (
    <FormDialog
      onClose={onClose}
      title={`Create pipeline from ${table.name}`}
      description="It begins as a draft, and runs only once it is told to."
      action="Create draft"
      onSubmit={submit}
      isBusy={create.isPending}
    >
      <Field label="Name" error={isTried && wrong ? wrong : undefined}>
        {(control) => (
          <Input {...control} autoFocus value={name} onChange={(event) => setName(event.target.value)} />
        )}
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="Destination" help="It can be said later, too.">
          {(control) => (
            <Select
              {...control}
              value={to}
              onChange={setTo}
              choices={[
                { value: "", label: "Not yet" },
                ...targets.map(({ name }) => ({ value: name, label: name })),
              ]}
            />
          )}
        </Field>
        {to !== "" && (
          <Field label="Schema there">
            {(control) => (
              <Input {...control} value={schema} onChange={(event) => setSchema(event.target.value)} />
            )}
          </Field>
        )}
      </div>
      <div className="relative">
        <pre
          // What scrolls is to be reached by the keyboard.
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          tabIndex={0}
          aria-label="The pipeline's file"
          role="region"
          className="overflow-x-auto rounded-lg bg-muted p-4 pr-12 font-mono text-xs leading-relaxed"
        >
          {text}
        </pre>
        <CopyButton text={text} label="Copy YAML" className="absolute top-2 right-2 bg-raised" />
      </div>
      <ProblemAlert title="The pipeline was not created." error={create.error} />
    </FormDialog>
  );
}
