// The chosen block at the side: its name, its settings, and what can be done with it.
import { Eye, Play, Trash2, X } from "lucide-react";
import { type Ref, useDeferredValue, useState } from "react";
import { portLook, PortShape } from "@/components/graph/ports";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { nameRefusal } from "./edits";
import type { Block } from "./graph";
import { SettingsForm } from "./settings-form";
import type { Editing } from "./use-draft";

interface DrawerProps {
  editing: Editing;
  block: Block;
  isReadOnly: boolean;
  onSelect: (id: string | null) => void;
  onLeave: () => void;
  onPreview: () => void;
  onRunTo: (() => void) | null;
  ref: Ref<HTMLElement>;
}

export function Drawer({
  editing,
  block,
  isReadOnly,
  onSelect,
  onLeave,
  onPreview,
  onRunTo,
  ref,
}: DrawerProps) {
  const { kind } = block;
  // Another block is answered at once; its form, and the editor in it, come in the frame after.
  const isReady = useDeferredValue(block.id, null) === block.id;
  return (
    // Escape leaves it, wherever in it the focus is.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <aside
      ref={ref}
      data-drawer
      aria-label={`Settings of ${block.id}`}
      className="absolute top-0 right-0 bottom-72 z-10 flex w-88 max-w-full shrink-0 flex-col border-l border-border bg-card shadow-xl 2xl:w-104 lg:static lg:shadow-none"
      onKeyDown={(event) => {
        if (event.key === "Escape" && !event.defaultPrevented) onLeave();
      }}
    >
      <header className="flex items-center gap-2 border-b border-border px-4 py-2.5">
        <PortShape port={kind?.output ?? kind?.input ?? null} className="size-4" />
        <div className="min-w-0 flex-1">
          <h2 className="truncate font-semibold">{kind?.label ?? "A block of no kind"}</h2>
        </div>
        <Button size="icon" variant="ghost" aria-label="Close settings" onClick={onLeave}>
          <X aria-hidden />
        </Button>
      </header>
      <div className="flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto p-4">
        <p className="text-xs text-muted-foreground">
          {kind?.description ??
            "Its settings do not say yet what it does: write one of the blocks’ keywords in the YAML."}
          {kind && (
            <span className="mt-1 flex gap-3">
              <span>Takes: {portLook(kind.input).words}</span>
              <span>Gives: {portLook(kind.output).words}</span>
            </span>
          )}
        </p>
        <NameField
          key={block.id}
          editing={editing}
          block={block}
          isReadOnly={isReadOnly}
          onSelect={onSelect}
        />
        {isReady && <SettingsForm editing={editing} block={block} isReadOnly={isReadOnly} />}
      </div>
      <footer className="flex flex-wrap gap-2 border-t border-border px-4 py-2.5">
        <Button size="sm" onClick={onPreview}>
          <Eye aria-hidden /> Preview to here
        </Button>
        {onRunTo && (
          <Button size="sm" onClick={onRunTo}>
            <Play aria-hidden /> Run to here
          </Button>
        )}
        {!isReadOnly && (
          <Button
            size="icon"
            variant="ghost"
            className="ml-auto text-danger"
            aria-label={`Remove ${block.id}`}
            onClick={() => {
              editing.remove(block.id);
              onSelect(null);
            }}
          >
            <Trash2 aria-hidden />
          </Button>
        )}
      </footer>
    </aside>
  );
}

type NameFieldProps = Pick<DrawerProps, "editing" | "block" | "isReadOnly" | "onSelect">;

function NameField({ editing, block, isReadOnly, onSelect }: NameFieldProps) {
  const [typed, setTyped] = useState<string | null>(null);
  const wrong = typed === null ? null : nameRefusal(typed, editing.graph.blocks, block.id);
  const settle = () => {
    if (typed !== null && wrong === null && typed !== block.id) {
      editing.rename(block.id, typed);
      onSelect(typed);
    }
    setTyped(null);
  };
  return (
    <Field
      label="Name"
      error={wrong ?? undefined}
      help="Other blocks and queries call it so; a new name is put there as well."
    >
      {(control) => (
        <Input
          {...control}
          value={typed ?? block.id}
          readOnly={isReadOnly}
          onChange={(event) => setTyped(event.target.value)}
          onBlur={settle}
          onKeyDown={(event) => event.key === "Enter" && settle()}
        />
      )}
    </Field>
  );
}
