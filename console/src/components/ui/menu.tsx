// A menu that a button opens.
import * as Radix from "@radix-ui/react-dropdown-menu";
import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { cn } from "@/lib/cn";
import { POPUP, POPUP_LINE } from "./popup";

interface MenuProps {
  /** The button. */
  trigger: ReactNode;
  align?: "start" | "end";
  children: ReactNode;
}

export function Menu({ trigger, align = "end", children }: MenuProps) {
  return (
    <Radix.Root modal={false}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content align={align} sideOffset={6} collisionPadding={8} className={cn(POPUP, "min-w-48")}>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

interface MenuItemProps {
  icon?: LucideIcon;
  children: ReactNode;
  onSelect: () => void;
  isDangerous?: boolean;
  /** Why not; it is disabled then. */
  refusal?: string | null;
}

export function MenuItem({ icon: Icon, children, onSelect, isDangerous, refusal }: MenuItemProps) {
  return (
    <Radix.Item
      onSelect={onSelect}
      disabled={Boolean(refusal)}
      title={refusal ?? undefined}
      className={cn(
        POPUP_LINE,
        "gap-2.5 px-2.5 data-disabled:cursor-not-allowed data-disabled:opacity-55",
        isDangerous && "text-danger data-highlighted:bg-danger-soft data-highlighted:text-danger",
      )}
    >
      {Icon && <Icon aria-hidden className="size-4" />}
      {children}
    </Radix.Item>
  );
}

interface MenuChoiceProps<T extends string> {
  label: string;
  value: T;
  choices: readonly { value: T; label: string }[];
  onChange: (value: T) => void;
}

export function MenuChoice<T extends string>({ label, value, choices, onChange }: MenuChoiceProps<T>) {
  const choose = (text: string) => {
    const choice = choices.find((choice) => choice.value === text);
    if (choice) onChange(choice.value);
  };
  return (
    <Radix.RadioGroup value={value} onValueChange={choose} aria-label={label}>
      {choices.map((choice) => (
        <Radix.RadioItem
          key={choice.value}
          value={choice.value}
          className={cn(POPUP_LINE, "justify-between gap-4 px-2.5")}
        >
          {choice.label}
          <Radix.ItemIndicator aria-hidden>✓</Radix.ItemIndicator>
        </Radix.RadioItem>
      ))}
    </Radix.RadioGroup>
  );
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return <Radix.Label className="px-2.5 py-1.5 text-xs text-muted-foreground">{children}</Radix.Label>;
}

export function MenuSeparator() {
  return <Radix.Separator className="my-1 h-px bg-border" />;
}

/** Opens the menu whose button is in there, as a key on it does. */
export function openMenuIn(place: Element | null | undefined): void {
  const trigger = place?.querySelector<HTMLElement>('[aria-haspopup="menu"]');
  trigger?.focus();
  trigger?.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
}
