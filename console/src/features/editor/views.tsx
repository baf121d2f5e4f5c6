// The canvas or the outline: two views of the same blocks.
import { ListTree, Workflow } from "lucide-react";
import { cn } from "@/lib/cn";
import { Canvas } from "./canvas";
import { Outline } from "./outline";
import type { Editing } from "./use-draft";

export const VIEWS = ["canvas", "outline"] as const;
type View = (typeof VIEWS)[number];

interface ViewsProps {
  editing: Editing;
  view: View;
  onView: (view: View) => void;
  selected: string | null;
  onSelect: (id: string | null) => void;
  onOpen: () => void;
  isReadOnly: boolean;
  /** False while the page around it comes. */
  isReady: boolean;
}

const CHOICES = [
  { view: "canvas", label: "Canvas", icon: Workflow },
  { view: "outline", label: "Outline", icon: ListTree },
] as const;

export function Views({ view, onView, isReady, ...rest }: ViewsProps) {
  const isEmpty = rest.editing.graph.blocks.length === 0;
  return (
    <div className="relative min-h-0 flex-1 bg-background">
      <div
        role="group"
        aria-label="View"
        className="absolute top-3 left-3 z-5 flex rounded-lg border border-border bg-raised p-0.5 shadow-sm"
      >
        {CHOICES.map(({ view: choice, label, icon: Icon }) => (
          <button
            key={choice}
            type="button"
            aria-pressed={view === choice}
            onClick={() => onView(choice)}
            className={cn(
              "flex h-7 items-center gap-1.5 rounded-md px-2.5 text-xs font-medium",
              view === choice && "bg-accent text-accent-foreground",
            )}
          >
            <Icon aria-hidden className="size-3.5" /> {label}
          </button>
        ))}
      </div>
      {isReady && (view === "canvas" ? <Canvas {...rest} /> : <Outline {...rest} />)}
      {isEmpty && (
        <p className="pointer-events-none absolute inset-0 grid place-items-center px-8 text-center text-muted-foreground">
          {rest.isReadOnly
            ? "This pipeline has no blocks yet."
            : "Drag a block here from the left, or press Enter on one: begin with an extract."}
        </p>
      )}
    </div>
  );
}
