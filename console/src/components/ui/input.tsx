// Fields that text is typed into.
import { Eye, EyeOff, Search, X } from "lucide-react";
import { type ComponentProps, useEffect, useState } from "react";
import { cn } from "@/lib/cn";
import { useSteady } from "@/lib/steady";

const field =
  "else:w-full rounded-lg border border-input bg-card px-3 else:text-sm placeholder:text-muted-foreground disabled:opacity-60 aria-invalid:border-danger";

export function Input({ className, ...rest }: ComponentProps<"input">) {
  return <input {...rest} className={cn(field, "else:h-9", className)} />;
}

export function Textarea({ className, ...rest }: ComponentProps<"textarea">) {
  return <textarea {...rest} className={cn(field, "else:min-h-20 py-2", className)} />;
}

/** Can be shown, and says when Caps Lock is on. */
export function PasswordInput({ className, ...rest }: Omit<ComponentProps<"input">, "type">) {
  const [isShown, setShown] = useState(false);
  const [hasCaps, setCaps] = useState(false);
  return (
    <div>
      <div className="relative">
        <Input
          {...rest}
          type={isShown ? "text" : "password"}
          className={cn("pr-10", className)}
          onKeyUp={(event) => setCaps(event.getModifierState("CapsLock"))}
        />
        <button
          type="button"
          aria-label={isShown ? "Hide password" : "Show password"}
          aria-pressed={isShown}
          onClick={() => setShown(!isShown)}
          className="absolute inset-y-0.5 right-0.5 grid w-8 place-items-center rounded-md text-muted-foreground hover:text-foreground"
        >
          {isShown ? <EyeOff aria-hidden className="size-4" /> : <Eye aria-hidden className="size-4" />}
        </button>
      </div>
      <p role="status" className="text-xs text-warning">
        {hasCaps && <span className="mt-1 block">Caps Lock is on.</span>}
      </p>
    </div>
  );
}

const SETTLE_MS = 150;

interface SearchInputProps {
  /** What is searched for now. */
  value: string;
  /** Told once typing rests. */
  onChange: (value: string) => void;
  label: string;
  className?: string;
  ref?: React.Ref<HTMLInputElement>;
}

/** What is typed stands in it at once and for as long as the focus is there: what it leads to may come late. */
export function SearchInput({ value, onChange, label, className, ref }: SearchInputProps) {
  const [typed, setTyped] = useState<string | null>(null);
  const [hasFocus, setFocus] = useState(false);
  const [seen, setSeen] = useState(value);
  if (seen !== value) {
    setSeen(value);
    if (!hasFocus) setTyped(null);
  }
  const tell = useSteady(onChange);
  useEffect(() => {
    if (typed === null) return;
    const timer = setTimeout(() => tell(typed), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [typed, tell]);
  const text = typed ?? value;
  return (
    <div className={cn("relative", className)}>
      <Search aria-hidden className="absolute top-2.5 left-3 size-4 text-muted-foreground" />
      <Input
        ref={ref}
        type="search"
        aria-label={label}
        placeholder={label}
        value={text}
        onChange={(event) => setTyped(event.target.value)}
        onFocus={() => setFocus(true)}
        onBlur={() => setFocus(false)}
        className="pr-9 pl-9 [&::-webkit-search-cancel-button]:hidden"
      />
      {text !== "" && (
        <button
          type="button"
          aria-label="Clear search"
          onClick={() => setTyped("")}
          className="absolute inset-y-1 right-1 grid w-7 place-items-center rounded-md text-muted-foreground hover:text-foreground"
        >
          <X aria-hidden className="size-4" />
        </button>
      )}
    </div>
  );
}
