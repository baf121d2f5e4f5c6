// What can be put on the canvas, by what it gives: drawn from the catalogue alone.
import { Plus } from "lucide-react";
import { memo } from "react";
import { KindIcon } from "@/components/graph/kind-icon";
import { portLook, PortShape } from "@/components/graph/ports";
import { Tooltip } from "@/components/ui/tooltip";
import { BLOCK_MIME } from "./canvas";
import type { Kind } from "./schema";

interface PaletteProps {
  kinds: readonly Kind[];
  onAdd: (kind: Kind) => void;
}

/** Neither changes while somebody types. */
export const Palette = memo(function Palette({ kinds, onAdd }: PaletteProps) {
  const groups = new Map<string | null, Kind[]>();
  for (const kind of kinds) groups.set(kind.output, [...(groups.get(kind.output) ?? []), kind]);
  // Ends stand last.
  const sorted = [...groups].sort(([one], [other]) => Number(one === null) - Number(other === null));
  return (
    <nav
      aria-label="Blocks"
      className="flex w-14 shrink-0 flex-col gap-4 overflow-y-auto border-r border-border bg-card p-2 xl:w-48 xl:p-3"
    >
      {sorted.map(([output, kinds]) => (
        <div key={output} className="flex flex-col gap-1.5">
          <h2 className="flex items-center gap-1.5 text-xs font-medium text-muted-foreground">
            <PortShape port={output} />{" "}
            <span className="max-xl:sr-only">
              {output === null ? "Ends" : `Give ${portLook(output).label.toLowerCase()}`}
            </span>
          </h2>
          {kinds.map((kind) => (
            <Tooltip key={kind.kind} side="right" text={kind.description}>
              <button
                type="button"
                draggable
                aria-label={`Add ${kind.label}`}
                onClick={() => onAdd(kind)}
                onDragStart={(event) => {
                  event.dataTransfer.setData(BLOCK_MIME, kind.kind);
                  event.dataTransfer.effectAllowed = "copy";
                }}
                className="group flex min-h-9 w-full cursor-grab items-center gap-2 rounded-lg border border-border bg-background px-2 text-left text-sm hover:border-primary/60 hover:bg-muted max-xl:justify-center active:cursor-grabbing"
              >
                <KindIcon kind={kind.kind} className="size-4 shrink-0 text-muted-foreground" />
                <span className="flex-1 py-1 leading-tight max-xl:sr-only">{kind.label}</span>
                <Plus
                  aria-hidden
                  className="size-3.5 text-muted-foreground opacity-0 group-hover:opacity-100 max-xl:hidden"
                />
              </button>
            </Tooltip>
          ))}
        </div>
      ))}
    </nav>
  );
});
