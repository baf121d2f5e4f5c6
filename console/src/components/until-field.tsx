// How far a run goes: to a block of its pipeline, or to the end.
import { useQuery } from "@tanstack/react-query";
import { pipelineGraphQuery } from "@/api/pipeline-graph";
import { Combobox } from "./ui/combobox";
import { Field } from "./ui/field";

interface UntilFieldProps {
  /** Empty while none is chosen. */
  pipeline: string;
  value: string;
  onChange: (block: string) => void;
  error?: string | undefined;
}

export function UntilField({ pipeline, value, onChange, error }: UntilFieldProps) {
  const { data: graph } = useQuery({ ...pipelineGraphQuery(pipeline), enabled: pipeline !== "" });
  const blocks = graph?.nodes.map(({ id, kind }) => ({ value: id, label: id, aside: kind })) ?? [];
  return (
    <Field
      label="Only up to block"
      isOptional
      help="Runs this block and what it needs; else all of them."
      error={error}
    >
      {({ id }) => (
        <Combobox
          id={id}
          label="Only up to block"
          className="w-full"
          value={value}
          choices={[{ value: "", label: "All blocks" }, ...blocks]}
          onChange={onChange}
        />
      )}
    </Field>
  );
}
