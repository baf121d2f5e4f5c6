// Switches and boxes that are on or off.
import * as Box from "@radix-ui/react-checkbox";
import * as Flip from "@radix-ui/react-switch";
import { Check, Minus } from "lucide-react";
import { type ReactNode, useId } from "react";

interface ToggleProps {
  isOn: boolean;
  onChange: (isOn: boolean) => void;
  label: ReactNode;
  help?: ReactNode;
  disabled?: boolean;
  /** The label is read but not seen. */
  isLabelHidden?: boolean;
}

export function Switch(props: ToggleProps) {
  return (
    <Labelled {...props}>
      {(id) => (
        <Flip.Root
          id={id}
          checked={props.isOn}
          onCheckedChange={props.onChange}
          disabled={props.disabled ?? false}
          className="relative h-6 w-10 shrink-0 rounded-full bg-neutral-500 transition-colors disabled:opacity-55 data-[state=checked]:bg-primary"
        >
          <Flip.Thumb className="block size-5 translate-x-0.5 rounded-full bg-white shadow transition-transform data-[state=checked]:translate-x-4.5" />
        </Flip.Root>
      )}
    </Labelled>
  );
}

export function Checkbox({ isMixed, ...props }: ToggleProps & { isMixed?: boolean }) {
  return (
    <Labelled {...props}>
      {(id) => (
        <Box.Root
          id={id}
          checked={isMixed ? "indeterminate" : props.isOn}
          onCheckedChange={(checked) => props.onChange(checked === true)}
          disabled={props.disabled ?? false}
          className="grid size-6 shrink-0 place-items-center rounded-md border border-input bg-card disabled:opacity-55 data-[state=checked]:border-primary data-[state=checked]:bg-primary data-[state=indeterminate]:bg-primary"
        >
          <Box.Indicator className="text-white">
            {isMixed ? <Minus aria-hidden className="size-4" /> : <Check aria-hidden className="size-4" />}
          </Box.Indicator>
        </Box.Root>
      )}
    </Labelled>
  );
}

interface CheckboxListProps<T extends string> {
  legend: string;
  choices: readonly { value: T; label: ReactNode }[];
  chosen: readonly T[];
  onChange: (chosen: readonly T[]) => void;
}

/** Any number of a few choices. */
export function CheckboxList<T extends string>({ legend, choices, chosen, onChange }: CheckboxListProps<T>) {
  return (
    <fieldset className="flex flex-col gap-1">
      <legend className="mb-2 font-medium">{legend}</legend>
      {choices.map(({ value, label }) => (
        <Checkbox
          key={value}
          label={label}
          isOn={chosen.includes(value)}
          onChange={(isOn) => onChange(isOn ? [...chosen, value] : chosen.filter((other) => other !== value))}
        />
      ))}
    </fieldset>
  );
}

function Labelled({
  label,
  help,
  isLabelHidden,
  children,
}: ToggleProps & { children: (id: string) => ReactNode }) {
  const id = useId();
  return (
    <div className="flex items-center gap-2.5">
      {children(id)}
      <div className={isLabelHidden ? "sr-only" : "text-sm"}>
        <label htmlFor={id}>{label}</label>
        {help && <p className="text-xs text-muted-foreground">{help}</p>}
      </div>
    </div>
  );
}
