// The last days as bars: a drag over them, or the arrow keys, choose the time that the list is of.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { X } from "lucide-react";
import { useState } from "react";
import { surveyQuery } from "@/api/runs";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { cn } from "@/lib/cn";
import { useClock } from "@/lib/clock";
import { DAYS, type Piece, piecesOf, range } from "./brush-model";

const route = getRouteApi("/app/runs");
const HOUR_MS = 3_600_000;

export function TimeBrush() {
  const { from, to, pipeline } = route.useSearch();
  const navigate = route.useNavigate();
  // By the hour, so that the question stays the same for a while.
  const now = useClock((now) => Math.ceil(now.getTime() / HOUR_MS) * HOUR_MS);
  const since = new Date(now - DAYS * 24 * HOUR_MS).toISOString();
  const { data } = useQuery(surveyQuery({ from: since, pipeline }));
  const pieces = piecesOf(data?.runs ?? [], now);
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const choose = (one: number, other: number) => {
    setDrag(null);
    const chosen = range(pieces, one, other);
    if (chosen) void navigate({ search: (before) => ({ ...before, ...chosen }), replace: true });
  };
  const most = Math.max(1, ...pieces.map(heightOf));
  const isChosen = (piece: Piece, index: number) => {
    if (drag) return index >= Math.min(drag.from, drag.to) && index <= Math.max(drag.from, drag.to);
    if (!from && !to) return true;
    return (!from || piece.to > Date.parse(from)) && (!to || piece.from < Date.parse(to));
  };
  return (
    <Card className="px-4 pt-3 pb-2">
      <div className="flex min-h-8 flex-wrap items-center gap-3 text-xs text-muted-foreground">
        <span className="font-medium text-foreground">Last {DAYS} days</span>
        <span>{data?.next ? "the newest 500 runs" : "Drag over the bars to choose a time"}</span>
        {(from ?? to) && (
          <span className="ml-auto flex items-center gap-1">
            {words(from, "…")} – {words(to, "now")}
            <Button
              size="sm"
              variant="ghost"
              onClick={() =>
                void navigate({
                  search: (before) => ({ ...before, from: undefined, to: undefined }),
                  replace: true,
                })
              }
            >
              <X aria-hidden /> All times
            </Button>
          </span>
        )}
      </div>
      <div
        role="group"
        aria-label="Runs by time"
        className="mt-1 flex h-16 touch-none items-end gap-px select-none"
      >
        {pieces.map((piece, index) => (
          <button
            key={piece.from}
            type="button"
            tabIndex={index === pieces.length - 1 ? 0 : -1}
            aria-label={label(piece)}
            title={label(piece)}
            aria-pressed={Boolean(from ?? to) && isChosen(piece, index)}
            onPointerDown={(event) => {
              event.currentTarget.releasePointerCapture(event.pointerId);
              setDrag({ from: index, to: index });
            }}
            onPointerEnter={() => drag && setDrag({ ...drag, to: index })}
            onPointerUp={() => drag && choose(drag.from, index)}
            onKeyDown={(event) => walk(event)}
            onClick={(event) => event.detail === 0 && choose(index, index)}
            className={cn(
              "flex h-full min-w-0 flex-1 flex-col justify-end rounded-xs hover:bg-muted",
              !isChosen(piece, index) && "opacity-35",
              drag && isChosen(piece, index) && "bg-accent",
            )}
          >
            <Part count={piece.running} most={most} colour="bg-blue-500" />
            <Part count={piece.cancelled} most={most} colour="bg-neutral-400" />
            <Part count={piece.failed} most={most} colour="bg-red-600" />
            <Part count={piece.success} most={most} colour="bg-green-600" />
            <span className="h-0.5 bg-border" />
          </button>
        ))}
      </div>
      <div aria-hidden className="mt-1 grid grid-cols-7 text-[11px] text-muted-foreground">
        {pieces
          .filter((_, index) => index % 8 === 0)
          .map((piece) => (
            <span key={piece.from}>
              {new Date(piece.from).toLocaleDateString(undefined, { weekday: "short", day: "numeric" })}
            </span>
          ))}
      </div>
    </Card>
  );
}

function Part({ count, most, colour }: { count: number; most: number; colour: string }) {
  if (count === 0) return null;
  return <span className={cn("min-h-1", colour)} style={{ height: `${(count / most) * 100}%` }} />;
}

/** The arrow keys go from bar to bar; one of them is in the order of Tab. */
function walk(event: React.KeyboardEvent<HTMLButtonElement>): void {
  const bar = event.currentTarget;
  const next = { ArrowLeft: bar.previousElementSibling, ArrowRight: bar.nextElementSibling }[event.key];
  if (next instanceof HTMLElement) next.focus();
}

function heightOf({ success, failed, cancelled, running }: Piece): number {
  return success + failed + cancelled + running;
}

function label({ from, success, failed, cancelled, running }: Piece): string {
  return `${words(new Date(from).toISOString(), "")}: ${success} succeeded, ${failed} failed, ${cancelled} cancelled, ${running} running`;
}

function words(at: string | undefined, none: string): string {
  if (!at) return none;
  return new Date(at).toLocaleString(undefined, {
    weekday: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  });
}
