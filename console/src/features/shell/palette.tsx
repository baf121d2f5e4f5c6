// The command palette: pages, acts and things by name.
import { CornerDownLeft, type LucideIcon, Search } from "lucide-react";
import { useId, useState } from "react";
import { Kbd } from "@/components/ui/card";
import { Dialog } from "@/components/ui/dialog";
import { cn } from "@/lib/cn";
import { keyNames } from "@/lib/keys";
import { useFound } from "./use-found";

export interface Entry {
  id: string;
  group: string;
  label: string;
  icon: LucideIcon;
  /** Found by these, too. */
  words?: string;
  keys?: string;
  run: () => void;
}

interface PaletteProps {
  onClose: () => void;
  entries: readonly Entry[];
}

export function Palette({ onClose, entries }: PaletteProps) {
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={<span className="sr-only">Search or jump to</span>}
      className="top-[12vh] [&>header]:absolute [&>header]:right-0 [&>header]:p-2"
    >
      <Finder entries={entries} onClose={onClose} />
    </Dialog>
  );
}

function Finder({ entries, onClose }: { entries: readonly Entry[]; onClose: () => void }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const listId = useId();
  const found = useFound(text, entries);
  const chosen = Math.min(at, found.length - 1);

  const run = (entry: Entry | undefined) => {
    if (!entry) return;
    onClose();
    entry.run();
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setAt((chosen + step + found.length) % Math.max(1, found.length));
    else if (event.key === "Enter") run(found[chosen]);
    else return;
    event.preventDefault();
  };

  return (
    <div className="-mx-6 -mb-5 flex flex-col">
      <div className="flex items-center gap-3 border-b border-border px-5 pt-3 pr-14 pb-2">
        <Search aria-hidden className="size-5 text-muted-foreground" />
        <input
          role="combobox"
          aria-label="Search or jump to"
          aria-expanded
          aria-controls={listId}
          aria-activedescendant={found[chosen] && `${listId}-${chosen}`}
          placeholder="Search or jump to…"
          className="h-9 flex-1 bg-transparent text-base outline-none placeholder:text-muted-foreground"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
          autoFocus
        />
      </div>
      <div id={listId} role="listbox" aria-label="Found" className="max-h-[50vh] overflow-y-auto p-2">
        {found.length === 0 && (
          <p className="px-3 py-8 text-center text-muted-foreground">Nothing is called so.</p>
        )}
        {found.map((entry, index) => (
          <div key={entry.id} role="presentation">
            {entry.group !== found[index - 1]?.group && (
              <p className="px-3 pt-3 pb-1 text-xs font-medium text-muted-foreground">{entry.group}</p>
            )}
            <div
              id={`${listId}-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === chosen}
              onClick={() => run(entry)}
              onKeyDown={onKeyDown}
              onPointerMove={() => setAt(index)}
              className={cn(
                "flex h-10 cursor-pointer items-center gap-3 rounded-lg px-3",
                index === chosen && "bg-accent text-accent-foreground",
              )}
            >
              <entry.icon aria-hidden className="size-4 opacity-70" />
              <span className="flex-1 truncate">{entry.label}</span>
              {entry.keys && keyNames(entry.keys).map((key) => <Kbd key={key}>{key}</Kbd>)}
              {index === chosen && <CornerDownLeft aria-hidden className="size-4 opacity-60" />}
            </div>
          </div>
        ))}
      </div>
    </div>
  );
}
