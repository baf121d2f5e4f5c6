// A text that is shown once, to be copied.
import { CopyButton } from "./ui/copy-button";

export function Secret({ label, text }: { label: string; text: string }) {
  return (
    <div className="flex flex-col gap-1.5">
      <p className="font-medium">{label}</p>
      <p className="flex items-center gap-2 rounded-lg border border-input bg-muted py-1 pr-1 pl-3">
        <code className="min-w-0 flex-1 font-mono text-xs break-all">{text}</code>
        <CopyButton text={text} label={`Copy ${label.toLowerCase()}`} />
      </p>
    </div>
  );
}
