// The same pipeline as a table: every block below what it reads, for readers of screens and for touch.
import { Trash2 } from "lucide-react";
import { type KeyboardEvent, useRef } from "react";
import { portLook, PortShape } from "@/components/graph/ports";
import { Button } from "@/components/ui/button";
import { Select } from "@/components/ui/select";
import { toast } from "@/components/ui/toast";
import { cn } from "@/lib/cn";
import { depths } from "./arrange";
import { summaryOf } from "./block-node";
import { refusal } from "./rules";
import type { Editing } from "./use-draft";

interface OutlineProps {
  editing: Editing;
  selected: string | null;
  onSelect: (id: string | null) => void;
  onOpen: () => void;
  isReadOnly: boolean;
}

export function Outline({ editing, selected, onSelect, onOpen, isReadOnly }: OutlineProps) {
  const { graph, checked } = editing;
  const body = useRef<HTMLTableSectionElement>(null);
  const depth = depths(graph);
  const rows = [...graph.blocks].sort((one, other) => (depth.get(one.id) ?? 0) - (depth.get(other.id) ?? 0));
  const onKeyDown = (event: KeyboardEvent, id: string, index: number) => {
    if (event.target instanceof Element && event.target.closest("button")) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) body.current?.querySelectorAll<HTMLElement>("tr")[index + step]?.focus();
    else if (event.key === "Enter") {
      onSelect(id);
      onOpen();
    } else if (event.key === "Delete" && !isReadOnly) editing.remove(id);
    else return;
    event.preventDefault();
  };
  const head = "h-9 px-3 text-left text-xs font-medium text-muted-foreground";
  return (
    <div
      // What the drawer covers can be moved out from below it.
      className={cn("h-full overflow-auto p-4 pt-14", selected !== null && "max-lg:pr-92")}
    >
      <table
        // Its rows are walked, opened and removed by keys, which a plain table has not.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-element-to-interactive-role
        role="treegrid"
        aria-label="Blocks of the pipeline"
        className="w-full border-collapse rounded-xl border border-border bg-card text-sm"
      >
        <thead>
          <tr className="border-b border-border">
            {["Block", "Does", "Reads", "Gives", "Problems", "Change"].map((name) => (
              <th key={name} scope="col" className={head}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          {rows.map((block, index) => {
            const { id, kind } = block;
            const reads = graph.joins.filter(({ target }) => target === id);
            const problems = checked?.problems.filter((problem) => problem.block === id).length ?? 0;
            const level = depth.get(id) ?? 0;
            const fitting = graph.blocks.filter((other) => refusal(graph, other.id, id) === null);
            return (
              <tr
                key={id}
                role="row"
                data-id={id}
                aria-level={level + 1}
                aria-selected={selected === id}
                tabIndex={selected === id || (selected === null && index === 0) ? 0 : -1}
                onClick={() => onSelect(id)}
                onKeyDown={(event) => onKeyDown(event, id, index)}
                className={cn(
                  "cursor-pointer border-b border-border -outline-offset-2 last:border-0 hover:bg-muted/60",
                  selected === id && "bg-accent/60",
                )}
              >
                <th scope="row" className="px-3 py-1.5 text-left font-medium">
                  <span className="flex items-center gap-2" style={{ paddingLeft: level * 20 }}>
                    <PortShape port={kind?.output ?? kind?.input ?? null} /> {id}
                  </span>
                </th>
                <td className="max-w-72 truncate px-3">
                  {kind?.label ?? "Not said yet"}{" "}
                  <span className="font-mono text-xs text-muted-foreground">{summaryOf(block)}</span>
                </td>
                <td className="px-3">{reads.map(({ source }) => source).join(", ") || "–"}</td>
                <td className="px-3">{portLook(kind?.output ?? null).label}</td>
                <td className={cn("px-3", problems > 0 && "font-medium text-danger")}>{problems || "–"}</td>
                <td className="px-3">
                  {!isReadOnly && (
                    <span className="flex items-center gap-1">
                      {kind?.input && (
                        <Select
                          className="shrink-0"
                          label={`Let ${id} read`}
                          value=""
                          choices={[
                            { value: "", label: "Read…" },
                            ...fitting.map((other) => ({ value: other.id, label: other.id })),
                          ]}
                          onChange={(source) => {
                            const why = source && editing.join(source, id);
                            if (why) toast("danger", why);
                          }}
                        />
                      )}
                      <Button
                        size="icon"
                        variant="ghost"
                        aria-label={`Remove ${id}`}
                        onClick={() => editing.remove(id)}
                      >
                        <Trash2 aria-hidden />
                      </Button>
                    </span>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
