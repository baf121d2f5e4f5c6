// Copies a text, and says that it did.
import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { cn } from "@/lib/cn";
import { Tooltip } from "./tooltip";

const SHOWN_MS = 1500;

export function CopyButton({ text, label, className }: { text: string; label: string; className?: string }) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  return (
    <Tooltip text={isCopied ? "Copied" : label}>
      <button
        type="button"
        aria-label={isCopied ? "Copied" : label}
        onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}
        className={cn(
          "inline-grid size-7 shrink-0 place-items-center rounded-md text-muted-foreground hover:bg-muted hover:text-foreground",
          className,
        )}
      >
        {isCopied ? <Check aria-hidden className="size-3.5" /> : <Copy aria-hidden className="size-3.5" />}
      </button>
    </Tooltip>
  );
}
