// Short words about what was done, at the edge of the page.
import { X } from "lucide-react";
import { useEffect } from "react";
import { createStore, useStore } from "@/lib/store";
import { Alert } from "./alert";

interface Toast {
  id: number;
  kind: "success" | "danger" | "info";
  text: string;
  /** Such as undoing it. */
  action?: { label: string; run: () => void };
}

const SHOWN_MS = 6000;
const shown = createStore<readonly Toast[]>([]);
let last = 0;

export function toast(kind: Toast["kind"], text: string, action?: Toast["action"]): void {
  last += 1;
  shown.set([...shown.get().slice(-3), { id: last, kind, text, ...(action && { action }) }]);
}

function dismiss(id: number): void {
  shown.set(shown.get().filter((toast) => toast.id !== id));
}

/** Drawn once, by the root. */
export function Toaster() {
  const toasts = useStore(shown);
  // A drawer has its buttons at its foot: what is said stands beside it.
  return (
    <div className="pointer-events-none fixed right-4 bottom-4 z-70 flex w-80 max-w-[calc(100vw-2rem)] flex-col gap-2 lg:[body:has([data-drawer])_&]:right-92 2xl:[body:has([data-drawer])_&]:right-108">
      <div role="status" aria-live="polite" className="contents">
        {toasts.map((toast) => (
          <Shown key={toast.id} toast={toast} />
        ))}
      </div>
    </div>
  );
}

function Shown({ toast: { id, kind, text, action } }: { toast: Toast }) {
  useEffect(() => {
    const timer = setTimeout(() => dismiss(id), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [id]);
  return (
    <div className="pointer-events-auto relative rounded-lg bg-raised shadow-xl">
      <Alert kind={kind} className="pr-10">
        {text}
        {action && (
          <button
            type="button"
            className="mt-1 block font-medium text-link hover:underline"
            onClick={() => {
              action.run();
              dismiss(id);
            }}
          >
            {action.label}
          </button>
        )}
      </Alert>
      <button
        type="button"
        aria-label="Dismiss"
        onClick={() => dismiss(id)}
        className="absolute top-2 right-2 grid size-6 place-items-center rounded-md text-muted-foreground hover:text-foreground"
      >
        <X aria-hidden className="size-3.5" />
      </button>
    </div>
  );
}
