// How far a run goes: to the block that is named, or to the end.
import { Field } from "./ui/field";
import { Input } from "./ui/input";

interface UntilFieldProps {
  value: string;
  onChange: (block: string) => void;
  error?: string | undefined;
}

export function UntilField({ value, onChange, error }: UntilFieldProps) {
  return (
    <Field
      label="Only up to block"
      isOptional
      help="Runs this block and what it needs; left empty, all of them."
      error={error}
    >
      {(control) => (
        <Input
          {...control}
          spellCheck={false}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
