// A field of settings as a connector or a block announces it, drawn by its kind.
import { Field } from "./ui/field";
import { asText } from "@/lib/as-text";
import { Input, PasswordInput, Textarea } from "./ui/input";
import { Select } from "./ui/select";
import type { SettingField } from "@/lib/setting-fields";

interface SettingInputProps {
  field: SettingField;
  value: string;
  onChange: (value: string) => void;
  error?: string | undefined;
  /** A secret is kept already: what is typed replaces it. */
  isKept?: boolean;
  className?: string | undefined;
}

const KEPT = "Kept. Type to replace it.";

export function SettingInput({ field, value, onChange, error, isKept, className }: SettingInputProps) {
  const { label, kind, choices, fallback, isRequired } = field;
  const help = kind === "secret" ? (field.help ?? "Sealed, and never shown again.") : field.help;
  return (
    <Field
      label={label}
      help={help}
      error={error}
      isOptional={!isRequired && fallback === null && kind !== "flag"}
      className={className}
    >
      {(control) => {
        if (kind === "choice" || kind === "flag") {
          const options = kind === "flag" ? ["true", "false"] : choices.map(asText);
          const called = (option: string) => ({ true: "Yes", false: "No" })[option] ?? option;
          const shown = options.map((option) => ({ value: option, label: called(option) }));
          const none =
            fallback !== null ? `Default (${called(fallback)})` : isRequired ? "Choose…" : "Default";
          return (
            <Select
              {...control}
              value={value}
              onChange={onChange}
              choices={[{ value: "", label: none }, ...shown]}
            />
          );
        }
        const typed = {
          ...control,
          name: field.key,
          value,
          onChange: (event: { target: { value: string } }) => onChange(event.target.value),
          required: isRequired,
        };
        if (kind === "yaml")
          return (
            <Textarea
              {...typed}
              rows={3}
              className="font-mono text-xs"
              spellCheck={false}
              placeholder={fallback ?? "As YAML: {name: value}"}
            />
          );
        if (kind === "secret")
          return <PasswordInput {...typed} autoComplete="new-password" placeholder={isKept ? KEPT : ""} />;
        return (
          <Input
            {...typed}
            inputMode={kind === "number" ? "numeric" : undefined}
            autoComplete="off"
            spellCheck={false}
            placeholder={fallback ?? (kind === "list" ? "one, two" : "")}
          />
        );
      }}
    </Field>
  );
}
