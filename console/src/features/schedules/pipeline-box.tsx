// One pipeline, found by its name.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { pipelineQuery } from "@/api/pipeline-files";
import { pipelineSearchQuery } from "@/api/pipelines";
import { Combobox } from "@/components/ui/combobox";

export interface Named {
  id: string;
  name: string;
}

interface PipelineBoxProps {
  id: string;
  label: string;
  value: string;
  onChange: (chosen: Named) => void;
}

/** Those whose name is like that, and the chosen one, which may not be among them; `value` is its id, or empty. */
export function useFoundPipelines(value: string, search: string): readonly Named[] {
  const { data: found = [] } = useQuery(pipelineSearchQuery(search));
  const { data: said } = useQuery({ ...pipelineQuery(value), enabled: value !== "" });
  const isFound = found.some((one) => one.id === value);
  return said && !isFound && search === "" ? [said, ...found] : found;
}

export function PipelineBox({ id, label, value, onChange }: PipelineBoxProps) {
  const [search, setSearch] = useState("");
  const all = useFoundPipelines(value, search);
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
