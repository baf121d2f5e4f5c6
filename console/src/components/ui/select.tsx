// One of a few choices.
import * as Radix from "@radix-ui/react-select";
import { Check, ChevronDown } from "lucide-react";
import type { ReactNode } from "react";
import { cn } from "@/lib/cn";
import { POPUP, POPUP_LINE } from "./popup";

export interface Choice<T extends string = string> {
  value: T;
  label: string;
  icon?: ReactNode;
}

interface SelectProps<T extends string> {
  value: T;
  onChange: (value: T) => void;
  choices: readonly Choice<T>[];
  /** Where no label stands beside it. */
  label?: string;
  id?: string;
  disabled?: boolean;
  className?: string;
  "aria-describedby"?: string | undefined;
  "aria-invalid"?: boolean;
}

// The primitive takes no empty value; this one stands for it.
const EMPTY = "\u0000";

export function Select<T extends string>({
  value,
  onChange,
  choices,
  label,
  className,
  ...rest
}: SelectProps<T>) {
  const chosen = choices.find((choice) => choice.value === value);
  const choose = (text: string) => {
    const choice = choices.find((choice) => choice.value === (text === EMPTY ? "" : text));
    if (choice) onChange(choice.value);
  };
  return (
    <Radix.Root value={value || EMPTY} onValueChange={choose} disabled={rest.disabled ?? false}>
      <Radix.Trigger
        {...rest}
        aria-label={label ? `${label}: ${chosen?.label ?? ""}` : undefined}
        className={cn(
          "inline-flex else:h-9 items-center justify-between gap-2 rounded-lg border border-input bg-card px-3 text-sm whitespace-nowrap hover:bg-muted disabled:opacity-60 aria-invalid:border-danger",
          className,
        )}
      >
        <Radix.Value />
        <ChevronDown aria-hidden className="size-4 text-muted-foreground" />
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          position="popper"
          sideOffset={4}
          className={cn(POPUP, "max-h-80 min-w-(--radix-select-trigger-width) overflow-auto")}
        >
          <Radix.Viewport>
            {choices.map((choice) => (
              <Radix.Item
                key={choice.value}
                value={choice.value || EMPTY}
                className={cn(POPUP_LINE, "gap-2 pr-3 pl-2")}
              >
                <span className="size-4">
                  <Radix.ItemIndicator>
                    <Check aria-hidden className="size-4" />
                  </Radix.ItemIndicator>
                </span>
                <Radix.ItemText>
                  <span className="flex items-center gap-2">
                    {choice.icon}
                    {choice.label}
                  </span>
                </Radix.ItemText>
              </Radix.Item>
            ))}
          </Radix.Viewport>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
