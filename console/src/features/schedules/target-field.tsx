// What a schedule runs: a pipeline or a transformation.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { transformationsQuery } from "@/api/transformations";
import type { Target } from "@/components/params-fields";
import { Combobox } from "@/components/ui/combobox";
import { Field } from "@/components/ui/field";
import { useFoundPipelines } from "./pipeline-box";

interface TargetFieldProps {
  target: Target | null;
  onChange: (target: Target) => void;
  error: string | undefined;
}

export function TargetField({ target, onChange, error }: TargetFieldProps) {
  const [search, setSearch] = useState("");
  const pipelines = useFoundPipelines(target?.type === "pipeline" ? target.id : "", search);
  const { data: transformations } = useInfiniteQuery(transformationsQuery);
  // One that stands only inside of others is never run by itself.
  const alike = (transformations?.pages ?? [])
    .flatMap((page) => page.transformations)
    .filter(({ materialization }) => materialization !== "ephemeral")
    .filter(({ id, name }) => id === target?.id || name.toLowerCase().includes(search.toLowerCase()));
  const choices = [
    ...pipelines.map(({ id, name }) => ({ value: id, label: name, aside: "pipeline" })),
    ...alike.map(({ id, name }) => ({ value: id, label: name, aside: "transformation" })),
  ];
  return (
    <Field label="What runs" error={error}>
      {({ id }) => (
        <Combobox
          id={id}
          label="What runs"
          className="w-full"
          value={target?.id ?? ""}
          choices={choices}
          onSearch={setSearch}
          onChange={(id) =>
            onChange({ type: alike.some((one) => one.id === id) ? "transformation" : "pipeline", id })
          }
        />
      )}
    </Field>
  );
}
