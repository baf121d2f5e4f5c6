// The pipelines that a trigger waits for.
import { X } from "lucide-react";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { type Named, PipelineBox } from "./pipeline-box";

interface UpstreamFieldProps {
  value: readonly Named[];
  onChange: (value: readonly Named[]) => void;
  error: string | undefined;
}

export function UpstreamField({ value, onChange, error }: UpstreamFieldProps) {
  return (
    <Field label="Waits for" error={error} help="Each of them, once, since it began a run last.">
      {({ id }) => (
        <div className="flex flex-col gap-2">
          {value.length > 0 && (
            <ul aria-label="Pipelines that it waits for" className="flex flex-wrap gap-2">
              {value.map((one) => (
                <li key={one.id} className="flex items-center rounded-lg border border-border pl-3">
                  {one.name}
                  <Button
                    size="icon"
                    variant="ghost"
                    aria-label={`Do not wait for ${one.name}`}
                    onClick={() => onChange(value.filter(({ id }) => id !== one.id))}
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
            onChange={(one) => onChange([...value.filter(({ id }) => id !== one.id), one])}
          />
        </div>
      )}
    </Field>
  );
}
