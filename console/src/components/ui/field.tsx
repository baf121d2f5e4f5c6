// A field of a form: its label, what helps, and what is wrong with it.
import { CircleAlert } from "lucide-react";
import { type ReactNode, useId } from "react";
import { cn } from "@/lib/cn";

/** What the element that is typed into takes. */
export interface FieldControl {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": boolean;
}

interface FieldProps {
  label: string;
  help?: ReactNode;
  error?: string | undefined;
  isOptional?: boolean;
  className?: string | undefined;
  children: (control: FieldControl) => ReactNode;
}

export function Field({ label, help, error, isOptional, className, children }: FieldProps) {
  const id = useId();
  const [helpId, errorId] = [`${id}help`, `${id}error`];
  const described = [help ? helpId : null, error ? errorId : null].filter((part) => part !== null);
  return (
    <div className={cn("flex flex-col gap-1.5", className)}>
      <label htmlFor={id} className="text-sm font-medium">
        {label}
        {isOptional && <span className="ml-1 font-normal text-muted-foreground">(optional)</span>}
      </label>
      {children({
        id,
        "aria-describedby": described.length > 0 ? described.join(" ") : undefined,
        "aria-invalid": error !== undefined,
      })}
      {help && help !== error && (
        <p id={helpId} className="text-xs text-muted-foreground">
          {help}
        </p>
      )}
      {error && (
        <p id={errorId} className="flex items-start gap-1 text-xs text-danger">
          <CircleAlert aria-hidden className="mt-px size-3.5 shrink-0" />
          {error}
        </p>
      )}
    </div>
  );
}
