// One of many choices, found by typing.
import * as Popover from "@radix-ui/react-popover";
import { Check, ChevronsUpDown } from "lucide-react";
import { type ReactNode, useId, useState } from "react";
import { cn } from "@/lib/cn";
import { Input } from "./input";
import { POPUP, POPUP_LINE } from "./popup";

interface ComboChoice {
  value: string;
  label: string;
  /** To the right of it. */
  aside?: ReactNode;
}

interface ComboboxProps {
  value: string;
  onChange: (value: string) => void;
  choices: readonly ComboChoice[];
  label: string;
  placeholder?: string;
  /** Where the choices are found elsewhere; else they are those with the text in their label. */
  onSearch?: (text: string) => void;
  /** What is typed may be chosen although it is no choice. */
  isOpenEnded?: boolean;
  id?: string;
  className?: string;
}

const SHOWN_MAX = 200;

export function Combobox(props: ComboboxProps) {
  const {
    value,
    onChange,
    choices,
    label,
    placeholder = "Choose…",
    onSearch,
    isOpenEnded,
    id,
    className,
  } = props;
  const [isOpen, setOpen] = useState(false);
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const listId = useId();
  const matching = onSearch
    ? choices
    : choices.filter((choice) => choice.label.toLowerCase().includes(text.toLowerCase()));
  const isNew = isOpenEnded && text !== "" && !matching.some((choice) => choice.value === text);
  const shown = [...(isNew ? [{ value: text, label: `Use “${text}”` }] : []), ...matching].slice(
    0,
    SHOWN_MAX,
  );
  const current = choices.find((choice) => choice.value === value)?.label ?? value;

  const choose = (choice: ComboChoice | undefined) => {
    if (!choice) return;
    onChange(choice.value);
    setOpen(false);
  };
  const type = (next: string) => {
    setText(next);
    setAt(0);
    onSearch?.(next);
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setAt((at + step + shown.length) % Math.max(1, shown.length));
    else if (event.key === "Enter") choose(shown[at]);
    else return;
    event.preventDefault();
  };

  return (
    <Popover.Root
      open={isOpen}
      onOpenChange={(open) => {
        setOpen(open);
        if (open) type("");
      }}
    >
      <Popover.Trigger
        id={id}
        role="combobox"
        aria-label={`${label}: ${current || placeholder}`}
        aria-expanded={isOpen}
        aria-controls={listId}
        className={cn(
          "inline-flex h-9 items-center justify-between gap-2 rounded-lg border border-input bg-card px-3 text-sm hover:bg-muted",
          className,
        )}
      >
        <span className={cn("truncate", !current && "text-muted-foreground")}>{current || placeholder}</span>
        <ChevronsUpDown aria-hidden className="size-4 shrink-0 text-muted-foreground" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align="start"
          sideOffset={4}
          className={cn(POPUP, "w-(--radix-popover-trigger-width) min-w-60")}
        >
          <Input
            role="combobox"
            aria-label={`Search ${label}`}
            aria-expanded
            aria-controls={listId}
            aria-activedescendant={shown[at] && `${listId}-${at}`}
            placeholder="Search…"
            value={text}
            onChange={(event) => type(event.target.value)}
            onKeyDown={onKeyDown}
            autoFocus
          />
          <div id={listId} role="listbox" aria-label={label} className="mt-1 max-h-64 overflow-y-auto">
            {shown.length === 0 && (
              <p className="px-2 py-3 text-sm text-muted-foreground">Nothing is called so.</p>
            )}
            {shown.map((choice, index) => (
              <div
                key={choice.value}
                id={`${listId}-${index}`}
                role="option"
                tabIndex={-1}
                aria-selected={choice.value === value}
                onClick={() => choose(choice)}
                onKeyDown={onKeyDown}
                onPointerMove={() => setAt(index)}
                className={cn(POPUP_LINE, "gap-2 px-2", index === at && "bg-accent text-accent-foreground")}
              >
                <Check aria-hidden className={cn("size-4 shrink-0", choice.value !== value && "invisible")} />
                <span className="truncate">{choice.label}</span>
                <span className="ml-auto text-muted-foreground">{choice.aside}</span>
              </div>
            ))}
          </div>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
