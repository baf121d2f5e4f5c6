// What the runs of a pipeline or a transformation are told: a field for each parameter that it declares.
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { pipelineQuery } from "@/api/pipeline-files";
import { transformationQuery } from "@/api/transformations";
import { paramFields, paramsInFile } from "@/lib/params";
import { fieldProblem, fieldText, fieldValue, type SettingField } from "@/lib/setting-fields";
import { SettingInput } from "./setting-input";

/** What runs. */
export interface Target {
  type: "pipeline" | "transformation";
  id: string;
}

export interface Params {
  fields: readonly SettingField[];
  texts: Record<string, string>;
  put: (key: string, text: string) => void;
  /** What is wrong with a field; null where it is right. */
  problem: (field: SettingField) => string | null;
  isWrong: boolean;
  /** What is sent: only what was put in; null where there are no parameters. */
  values: Record<string, unknown> | null;
}

interface ParamsWish {
  /** What is told already. */
  kept?: Record<string, unknown> | undefined;
  /** Where a call may tell what is missing. */
  mayMiss?: boolean;
}

/** `target` is null while none is chosen. */
export function useParams(target: Target | null, { kept = {}, mayMiss = false }: ParamsWish = {}): Params {
  const declared = useDeclared(target);
  const fields = useMemo(() => {
    const found = paramFields(declared);
    return mayMiss ? found.map((field) => ({ ...field, isRequired: false })) : found;
  }, [declared, mayMiss]);
  const [typed, setTyped] = useState<Record<string, string>>({});
  const texts = Object.fromEntries(
    fields.map(({ key, kind }) => [key, typed[key] ?? fieldText(kind, kept[key] ?? "")]),
  );
  const problem = (field: SettingField) => fieldProblem(field, texts[field.key] ?? "");
  const values = fields.flatMap((field) => {
    const value = fieldValue(field, texts[field.key] ?? "");
    return value === null ? [] : [[field.key, value] as const];
  });
  return {
    fields,
    texts,
    put: (key, text) => setTyped((before) => ({ ...before, [key]: text })),
    problem,
    isWrong: fields.some((field) => problem(field) !== null),
    values: fields.length > 0 ? Object.fromEntries(values) : null,
  };
}

function useDeclared(target: Target | null): unknown {
  const id = target?.id ?? "";
  const pipeline = useQuery({ ...pipelineQuery(id), enabled: target?.type === "pipeline" }).data;
  const transformation = useQuery({
    ...transformationQuery(id),
    enabled: target?.type === "transformation",
  }).data;
  return useMemo(
    () => (pipeline ? paramsInFile(pipeline.text) : transformation?.params),
    [pipeline, transformation],
  );
}

/** Says what is wrong once sending was tried. */
export function ParamsFields({ params, isTried }: { params: Params; isTried: boolean }) {
  if (params.fields.length === 0) return null;
  return (
    <fieldset className="flex flex-col gap-3">
      <legend className="mb-2 font-medium">Parameters</legend>
      <div className="grid gap-4 sm:grid-cols-2">
        {params.fields.map((field) => (
          <SettingInput
            key={field.key}
            field={field}
            value={params.texts[field.key] ?? ""}
            onChange={(text) => params.put(field.key, text)}
            error={isTried ? (params.problem(field) ?? undefined) : undefined}
          />
        ))}
      </div>
    </fieldset>
  );
}
