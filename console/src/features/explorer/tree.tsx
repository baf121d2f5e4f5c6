// Connections, schemas and tables as a tree that is walked by arrows; only what is seen of it is drawn.
import { useVirtualizer } from "@tanstack/react-virtual";
import { Cable, ChevronRight, Eye, Folder, Sheet, Table2 } from "lucide-react";
import { type KeyboardEvent, type MouseEvent, useEffect, useId, useRef, useState } from "react";
import { Count } from "@/components/ui/values";
import { cn } from "@/lib/cn";
import type { Branch } from "./branches";

const LINE_PX = 32;
/** So many lines before the end the next page is asked for. */
const NEAR = 40;

interface TreeProps {
  branches: readonly Branch[];
  /** Of the branch that is shown beside it. */
  shown: string | null;
  onOpen: (branch: Branch) => void;
  /** The tree's end is near. */
  onEnd: () => void;
}

export function Tree({ branches, shown, onOpen, onEnd }: TreeProps) {
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  const [walked, setWalked] = useState<string | null>(null);
  const at = branches.findIndex((branch) => branch.id === (walked ?? shown));
  const virtual = useVirtualizer({
    count: branches.length,
    getScrollElement: () => box.current,
    estimateSize: () => LINE_PX,
    overscan: 12,
  });
  const lines = virtual.getVirtualItems();
  const isNearEnd = (lines.at(-1)?.index ?? 0) > branches.length - NEAR;
  useEffect(() => {
    if (isNearEnd) onEnd();
  });

  const walk = (to: number) => {
    const index = Math.max(0, Math.min(branches.length - 1, to));
    setWalked(branches[index]?.id ?? null);
    virtual.scrollToIndex(index);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const branch = branches[at];
    const above = () =>
      branches.findLastIndex((one, index) => index < at && one.level < (branch?.level ?? 1));
    const acts: Record<string, () => void> = {
      ArrowDown: () => walk(at + 1),
      ArrowUp: () => walk(at - 1),
      Home: () => walk(0),
      End: () => walk(branches.length - 1),
      Enter: () => branch && onOpen(branch),
      " ": () => branch && onOpen(branch),
      ArrowRight: () => (branch && isShut(branch) ? onOpen(branch) : walk(at + 1)),
      ArrowLeft: () => (branch && isOpened(branch) ? onOpen(branch) : above() >= 0 && walk(above())),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
  const onClick = (event: MouseEvent) => {
    const line = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-line]") : null;
    const branch = branches[Number(line?.dataset["line"] ?? NaN)];
    if (!branch) return;
    setWalked(branch.id);
    onOpen(branch);
  };
  return (
    <div
      ref={box}
      role="tree"
      aria-label="Connections, schemas and tables"
      tabIndex={0}
      aria-activedescendant={lines.some(({ index }) => index === at) ? `${id}${at}` : undefined}
      onKeyDown={onKeyDown}
      onClick={onClick}
      className="group min-h-0 flex-1 overflow-auto p-1.5 -outline-offset-2"
    >
      <div role="presentation" className="relative" style={{ height: virtual.getTotalSize() }}>
        {lines.map(({ index, start }) => {
          const branch = branches[index];
          return (
            branch && (
              <div
                key={branch.id}
                id={`${id}${index}`}
                role="treeitem"
                aria-level={branch.level}
                aria-selected={branch.id === shown}
                aria-expanded={"isOpen" in branch ? branch.isOpen : undefined}
                aria-disabled={branch.kind === "note" ? true : undefined}
                data-line={index}
                style={{
                  transform: `translateY(${start}px)`,
                  paddingLeft: `${branch.level * 1.125 - 0.75}rem`,
                }}
                className={cn(
                  "absolute inset-x-0 top-0 flex h-8 items-center gap-2 rounded-md pr-2",
                  branch.kind === "note"
                    ? "text-muted-foreground italic"
                    : "cursor-pointer else:hover:bg-muted",
                  branch.id === shown && "bg-accent font-medium text-accent-foreground hover:bg-accent",
                  index === at &&
                    "group-focus-visible:ring-2 group-focus-visible:ring-ring group-focus-visible:ring-inset",
                )}
              >
                <Line branch={branch} />
              </div>
            )
          );
        })}
      </div>
    </div>
  );
}

function isShut(branch: Branch): boolean {
  return "isOpen" in branch && !branch.isOpen;
}

function isOpened(branch: Branch): boolean {
  return "isOpen" in branch && branch.isOpen;
}

const KINDS = { table: Table2, view: Eye, foreign: Cable, files: Sheet };

function Line({ branch }: { branch: Branch }) {
  const icon = "size-4 shrink-0 text-muted-foreground";
  const label = (
    <span className="min-w-0 flex-1 truncate" title={branch.label}>
      {branch.label}
    </span>
  );
  if (branch.kind === "note") return label;
  if (branch.kind === "table") {
    const Icon = KINDS[branch.table.kind];
    return (
      <>
        <Icon aria-hidden className={cn(icon, "ml-1")} />
        {label}
        {branch.table.rows != null && <Aside value={branch.table.rows} word="rows" />}
      </>
    );
  }
  const Icon = branch.kind === "connection" ? Cable : Folder;
  return (
    <>
      <ChevronRight
        aria-hidden
        className={cn("size-4 shrink-0 transition-transform duration-150", branch.isOpen && "rotate-90")}
      />
      <Icon aria-hidden className={icon} />
      {label}
      {branch.kind === "schema" && branch.tables !== null && <Aside value={branch.tables} word="tables" />}
    </>
  );
}

function Aside({ value, word }: { value: number; word: string }) {
  return (
    <span className="text-xs text-muted-foreground">
      <Count value={value} />
      <span className="sr-only"> {word}</span>
    </span>
  );
}
