// One of a few ways to go on, with its picture and its words.
import type { LucideIcon } from "lucide-react";
import { cn } from "@/lib/cn";

/** The same look for links. */
export const CARD =
  "flex flex-col items-start gap-1 rounded-xl border else:border-border p-3 text-left hover:border-primary/60 hover:bg-muted";

interface ChoiceCardProps {
  icon: LucideIcon;
  label: string;
  words: string;
  isChosen: boolean;
  onChoose: () => void;
}

export function ChoiceCard({ icon: Icon, label, words, isChosen, onChoose }: ChoiceCardProps) {
  return (
    <button
      type="button"
      aria-pressed={isChosen}
      onClick={onChoose}
      className={cn(CARD, isChosen && "border-primary bg-accent/50 ring-1 ring-primary")}
    >
      <Icon aria-hidden className="size-5 text-link" />
      <span className="font-medium">{label}</span>
      <span className="text-xs text-muted-foreground">{words}</span>
    </button>
  );
}
