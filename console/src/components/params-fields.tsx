// What the runs of a pipeline are told: a field for each parameter that its file declares.
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { pipelineQuery } from "@/api/pipeline-files";
import { paramFields } from "@/lib/params";
import { fieldProblem, fieldText, fieldValue, type SettingField } from "@/lib/setting-fields";
import { SettingInput } from "./setting-input";

export interface Params {
  fields: readonly SettingField[];
  texts: Record<string, string>;
  put: (key: string, text: string) => void;
  /** What is wrong with a field; null where it is right. */
  problem: (field: SettingField) => string | null;
  isWrong: boolean;
  /** What is sent: only what was put in; null where the pipeline has no parameters. */
  values: Record<string, unknown> | null;
}

interface ParamsWish {
  /** What is told already. */
  kept?: Record<string, unknown> | undefined;
  /** Where a call may tell what is missing. */
  mayMiss?: boolean;
}

/** `pipeline` is an id, empty while none is chosen. */
export function useParams(pipeline: string, { kept = {}, mayMiss = false }: ParamsWish = {}): Params {
  const { data } = useQuery({ ...pipelineQuery(pipeline), enabled: pipeline !== "" });
  const fields = useMemo(() => {
    const found = paramFields(data?.text ?? "");
    return mayMiss ? found.map((field) => ({ ...field, isRequired: false })) : found;
  }, [data?.text, mayMiss]);
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
