// Below the canvas: the file, what is wrong with it, its rows, its plan.
import { useRef } from "react";
import type { FileProblem } from "@/api/pipeline-checks";
import { cn } from "@/lib/cn";
import { PlanPanel } from "./plan-panel";
import { PreviewPanel } from "./preview-panel";
import { ProblemsPanel } from "./problems-panel";
import type { Looking } from "./use-looking";
import type { Editing } from "./use-draft";
import { YamlPanel } from "./yaml-panel";

export const PANELS = ["yaml", "problems", "preview", "plan"] as const;
export type PanelName = (typeof PANELS)[number];

interface BottomPanelProps {
  editing: Editing;
  looking: Looking;
  panel: PanelName;
  onPanel: (panel: PanelName) => void;
  selected: string | null;
  onSelect: (id: string | null) => void;
  goTo: { line: number; column: number } | null;
  onGo: (problem: FileProblem) => void;
  isReadOnly: boolean;
  /** False while the page around it comes. */
  isReady: boolean;
}

export function BottomPanel(props: BottomPanelProps) {
  const { editing, looking, panel, onPanel, selected, onSelect, goTo, onGo, isReadOnly, isReady } = props;
  const list = useRef<HTMLDivElement>(null);
  const problems = editing.checked?.problems.length ?? 0;
  const labels: Record<PanelName, string> = {
    yaml: "YAML",
    problems: problems > 0 ? `Problems (${problems})` : "Problems",
    preview: "Preview",
    plan: "Plan",
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = (PANELS.indexOf(panel) + step + PANELS.length) % PANELS.length;
    const name = PANELS[next];
    if (name) onPanel(name);
    list.current?.querySelectorAll("button")[next]?.focus();
  };
  return (
    <section
      aria-label="File, problems, preview and plan"
      className="flex h-72 shrink-0 flex-col border-t border-border bg-card 2xl:h-96"
    >
      <div
        ref={list}
        role="tablist"
        aria-label="Below the canvas"
        className="flex gap-1 border-b border-border px-2"
      >
        {PANELS.map((name) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`tab-${name}`}
            aria-selected={panel === name}
            aria-controls="bottom-panel"
            tabIndex={panel === name ? 0 : -1}
            onClick={() => onPanel(name)}
            onKeyDown={onKeyDown}
            className={cn(
              "-mb-px h-9 border-b-2 else:border-transparent px-3 text-sm font-medium else:text-muted-foreground -outline-offset-2 hover:text-foreground",
              panel === name && "border-primary",
              name === "problems" && problems > 0 ? "text-danger" : panel === name && "text-foreground",
            )}
          >
            {labels[name]}
          </button>
        ))}
      </div>
      <div
        id="bottom-panel"
        role="tabpanel"
        aria-labelledby={`tab-${panel}`}
        className="min-h-0 flex-1 overflow-auto"
      >
        {panel === "yaml" && isReady && (
          <YamlPanel
            editing={editing}
            selected={selected}
            onSelect={onSelect}
            goTo={goTo}
            isReadOnly={isReadOnly}
          />
        )}
        {panel === "problems" && <ProblemsPanel editing={editing} onGo={onGo} />}
        {panel === "preview" && (
          <PreviewPanel
            graph={editing.graph}
            selected={selected}
            preview={looking.preview}
            onPreview={looking.onPreview}
          />
        )}
        {panel === "plan" && (
          <PlanPanel
            segments={looking.plan.data}
            error={looking.plan.error}
            isPending={looking.plan.isPending}
            onPlan={looking.onPlan}
            onSelect={onSelect}
          />
        )}
      </div>
    </section>
  );
}
