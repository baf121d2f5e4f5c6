// Lines of a log, of which those in sight are drawn.
import { useVirtualizer, type Virtualizer } from "@tanstack/react-virtual";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { useEffect, useLayoutEffect, useRef } from "react";
import type { LogFilter } from "@/api/run-logs";
import type { RunDetail } from "@/api/runs";
import { ProblemState } from "@/components/problem-state";
import { Skeleton } from "@/components/ui/states";
import { Count } from "@/components/ui/values";
import { useSteady } from "@/lib/steady";
import { LogRow } from "./log-row";
import { useLog } from "./use-log";

const route = getRouteApi("/app/runs/$run");
const LINE_PX = 26;
/** So near to the end the next page is asked for, and following goes on. */
const NEAR_PX = 400;
const END_PX = 40;
/** Fewer do not fill it. */
const LINES_MIN = 60;

/** As high as the browser tells in its own time: to ask it for each line makes it lay out everything at once. */
function heightOf(
  row: HTMLDivElement,
  told: ResizeObserverEntry | undefined,
  virtual: Virtualizer<HTMLDivElement, HTMLDivElement>,
): number {
  const height = told?.borderBoxSize[0]?.blockSize;
  if (height !== undefined) return Math.round(height);
  return virtual.measurementsCache[virtual.indexFromElement(row)]?.size ?? LINE_PX;
}

interface LogViewProps {
  run: RunDetail;
  filter: LogFilter;
  wraps: boolean;
  isFollowing: boolean;
  onFollow: (isFollowing: boolean) => void;
}

export function LogView({ run, filter, wraps, isFollowing, onFollow }: LogViewProps) {
  const { line: pointed, ...search } = route.useSearch();
  const navigate = route.useNavigate();
  const point = useSteady(
    (line: number) => void navigate({ search: (before) => ({ ...before, line }), replace: true }),
  );
  const here = useHere(run.id, search);
  const { lines, pages, isStreaming } = useLog(run, filter);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer<HTMLDivElement, HTMLDivElement>({
    count: lines.count,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_PX,
    overscan: 20,
    measureElement: heightOf,
    useFlushSync: false,
  });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  // A line that is linked to may stand on a later page; whoever follows wants the last one. What is searched for may be
  // far behind: each answer looks through so much, and may have found nothing in it.
  const wantsMore = isFollowing || lines.count < Math.max(LINES_MIN, pointed ?? 0);
  useEffect(() => {
    if (wantsMore && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [wantsMore, hasNextPage, isFetchingNextPage, fetchNextPage]);
  const height = virtual.getTotalSize();
  useLayoutEffect(() => {
    const box = scroller.current;
    if (isFollowing && box) box.scrollTop = box.scrollHeight;
  }, [isFollowing, height]);
  const isThere = pointed !== undefined && pointed <= lines.count;
  useEffect(() => {
    if (isThere) virtual.scrollToIndex(pointed - 1, { align: "center" });
  }, [isThere, pointed, virtual]);

  const onScroll = () => {
    const box = scroller.current;
    if (!box) return;
    const below = box.scrollHeight - box.scrollTop - box.clientHeight;
    if (below < NEAR_PX && hasNextPage && !isFetchingNextPage) void fetchNextPage();
    if (isFollowing && below > NEAR_PX) onFollow(false);
    else if (!isFollowing && isStreaming && below < END_PX && box.scrollTop > 0) onFollow(true);
  };
  if (pages.isError)
    return (
      <ProblemState
        title="The log could not be loaded."
        error={pages.error}
        onRetry={() => void pages.refetch()}
      />
    );
  if (pages.isPending) return <Skeleton className="h-96 rounded-xl" />;
  return (
    <div className="overflow-hidden rounded-xl border border-border bg-card">
      <div
        ref={scroller}
        onScroll={onScroll}
        role="log"
        aria-label={`Log of ${run.pipeline}`}
        aria-live={isFollowing ? "polite" : "off"}
        // What scrolls is to be reached by the keyboard.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        className="h-[clamp(20rem,calc(100vh-24rem),44rem)] contain-strict overflow-auto py-2 font-mono text-xs -outline-offset-2"
      >
        {lines.count === 0 && (
          <p className="px-4 py-10 text-center font-sans text-sm text-muted-foreground">
            {hasNextPage
              ? "Looking further…"
              : isStreaming
                ? "Nothing was said yet."
                : "No line is like that."}
          </p>
        )}
        <div className="relative w-max min-w-full" style={{ height }}>
          <div
            className={wraps ? "absolute top-0 left-0 w-full" : "absolute top-0 left-0 min-w-full"}
            style={{ transform: `translateY(${virtual.getVirtualItems()[0]?.start ?? 0}px)` }}
          >
            {virtual.getVirtualItems().map((item) => {
              const line = lines.at(item.index);
              return (
                line && (
                  <div key={item.key} data-index={item.index} ref={virtual.measureElement}>
                    <LogRow
                      line={line}
                      number={item.index + 1}
                      wraps={wraps}
                      isPointed={pointed === item.index + 1}
                      href={`${here}${item.index + 1}`}
                      onPoint={point}
                    />
                  </div>
                )
              );
            })}
          </div>
        </div>
      </div>
      <p className="flex justify-between border-t border-border px-4 py-2 text-xs text-muted-foreground">
        <span>
          <Count value={lines.count} /> lines{hasNextPage ? ", more below" : ""}
        </span>
        <span>{isStreaming ? "New lines appear as they are said." : "Complete."}</span>
      </p>
    </div>
  );
}

/** The address of what is seen, up to the number of a line: made once for the many lines that have one. */
function useHere(run: string, search: Omit<ReturnType<typeof route.useSearch>, "line">): string {
  const router = useRouter();
  const { href } = router.buildLocation({ to: "/runs/$run", params: { run }, search });
  return `${href}${href.includes("?") ? "&" : "?"}line=`;
}
