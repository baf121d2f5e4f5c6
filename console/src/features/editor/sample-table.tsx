// A table of a preview: it scrolls by itself, also by the keyboard.
import type { ReactNode } from "react";

export function SampleTable({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div
      role="region"
      aria-label={label}
      // What scrolls is to be reached by the keyboard.
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      className="min-h-0 flex-1 overflow-auto rounded-lg border border-border"
    >
      <table className="w-full border-collapse text-xs" aria-label={label}>
        {children}
      </table>
    </div>
  );
}
