// What a trigger waits for, to be chosen.
import { FolderInput, Webhook, Workflow } from "lucide-react";
import type { Trigger } from "@/api/triggers";
import { ChoiceCard } from "@/components/ui/choice-card";

const KINDS = [
  {
    kind: "webhook",
    icon: Webhook,
    label: "A call",
    words: "Runs it when an address is called.",
  },
  {
    kind: "upstream",
    icon: Workflow,
    label: "Other pipelines",
    words: "Runs it once all of them have succeeded.",
  },
  {
    kind: "files",
    icon: FolderInput,
    label: "Files",
    words: "Runs it when files arrive at a place.",
  },
] as const;

interface TriggerKindsProps {
  value: Trigger["kind"];
  onChange: (kind: Trigger["kind"]) => void;
}

export function TriggerKinds({ value, onChange }: TriggerKindsProps) {
  return (
    <div className="grid gap-2 sm:grid-cols-3">
      {KINDS.map(({ kind, ...card }) => (
        <ChoiceCard key={kind} {...card} isChosen={value === kind} onChoose={() => onChange(kind)} />
      ))}
    </div>
  );
}
