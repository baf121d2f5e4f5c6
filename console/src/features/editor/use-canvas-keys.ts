// The canvas by keys: arrows walk, `a` then arrows and Enter join, Delete removes, Shift and arrows move.
import { type KeyboardEvent, type RefObject, useState } from "react";
import type { Layout } from "@/api/pipeline-checks";
import { toast } from "@/components/ui/toast";
import { refusal } from "./rules";
import type { Editing } from "./use-draft";

interface Joining {
  source: string;
  target: string | null;
  refusal: string | null;
}

interface CanvasKeys {
  editing: Editing;
  selected: string | null;
  onSelect: (id: string | null) => void;
  onOpen: () => void;
  host: RefObject<HTMLDivElement | null>;
  isReadOnly: boolean;
}

const WAYS: Record<string, { x: number; y: number }> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};
const MOVE_PX = 24;

export function useCanvasKeys({ editing, selected, onSelect, onOpen, host, isReadOnly }: CanvasKeys) {
  const [joining, setJoining] = useState<Joining | null>(null);
  const { graph, spots } = editing;

  const focus = (id: string) => {
    const node = host.current?.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(id)}"]`);
    node?.focus();
  };
  const walk = (id: string, key: string) => {
    const way = WAYS[key];
    const next = way && nearest(spots, id, way);
    if (!next) return;
    if (joining) setJoining({ ...joining, target: next, refusal: refusal(graph, joining.source, next) });
    else {
      onSelect(next);
      focus(next);
    }
  };
  const remove = (target: Element) => {
    const edge = target.closest(".react-flow__edge")?.getAttribute("data-id");
    const join = graph.joins.find(({ source, target, port }) => `${source} ${target} ${port ?? ""}` === edge);
    if (join) {
      const why = editing.part(join.source, join.target);
      if (why !== null) toast("danger", why);
      return;
    }
    const id = nodeOf(target);
    if (id === null) return;
    const next = Object.keys(spots).find((other) => other !== id) ?? null;
    editing.remove(id);
    onSelect(null);
    if (next !== null) focus(next);
  };
  const join = () => {
    if (!joining?.target) return;
    const why = editing.join(joining.source, joining.target);
    if (why !== null) toast("danger", why);
    else onSelect(joining.target);
    focus(why === null ? joining.target : joining.source);
    setJoining(null);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (!(event.target instanceof Element) || event.ctrlKey || event.metaKey || event.altKey) return;
    const id = nodeOf(event.target);
    if (WAYS[event.key] && id !== null) {
      const way = WAYS[event.key];
      const spot = spots[id];
      if (event.shiftKey && way && spot && !joining && !isReadOnly)
        editing.move({ [id]: { x: spot.x + way.x * MOVE_PX, y: spot.y + way.y * MOVE_PX } });
      else walk(joining?.target ?? id, event.key);
    } else if (event.key === "Escape" && joining) setJoining(null);
    else if (event.key === "Enter" && joining) join();
    else if ((event.key === "Enter" || event.key === " ") && id !== null) {
      onSelect(id);
      onOpen();
    } else if (event.key === "a" && id !== null && !isReadOnly) {
      setJoining({ source: id, target: null, refusal: null });
    } else if ((event.key === "Delete" || event.key === "Backspace") && !isReadOnly) remove(event.target);
    else return;
    event.preventDefault();
  };
  return { joining, onKeyDown, said: said(joining, selected) };
}

function said(joining: Joining | null, selected: string | null): string {
  if (!joining) return selected === null ? "" : `Block ${selected} is chosen.`;
  if (joining.target === null)
    return `Join ${joining.source}: go to another block with the arrows, Escape leaves it.`;
  return joining.refusal ?? `Enter lets ${joining.target} read ${joining.source}.`;
}

function nodeOf(target: Element): string | null {
  return target.closest(".react-flow__node")?.getAttribute("data-id") ?? null;
}

/** The block that is nearest in a direction; what lies beside the way counts as farther. */
function nearest(spots: Layout, id: string, way: { x: number; y: number }): string | null {
  const from = spots[id];
  if (!from) return null;
  const found = Object.entries(spots).flatMap(([other, spot]) => {
    const [dx, dy] = [spot.x - from.x, spot.y - from.y];
    const along = dx * way.x + dy * way.y;
    const aside = Math.abs(dx * way.y) + Math.abs(dy * way.x);
    return other !== id && along > 0 ? [{ other, far: along + 2 * aside }] : [];
  });
  found.sort((one, other) => one.far - other.far);
  return found[0]?.other ?? null;
}
