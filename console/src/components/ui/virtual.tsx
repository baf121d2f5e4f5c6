// Grids and lists of which only what is seen is drawn; the window scrolls.
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useLayoutEffect, useRef, useState } from "react";

interface VirtualGridProps<T> {
  label: string;
  items: readonly T[];
  itemId: (item: T) => string;
  draw: (item: T) => ReactNode;
  /** A column is never narrower. */
  minColumnPx: number;
  /** About how high an item is; each is measured. */
  itemPx: number;
}

const GAP_PX = 16;

export function VirtualGrid<T>({ label, items, itemId, draw, minColumnPx, itemPx }: VirtualGridProps<T>) {
  const list = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState({ columns: 1, top: 0 });
  useLayoutEffect(() => {
    const element = list.current;
    if (!element) return;
    const measure = () => {
      const columns = Math.max(1, Math.floor((element.clientWidth + GAP_PX) / (minColumnPx + GAP_PX)));
      const top = element.getBoundingClientRect().top + window.scrollY;
      setPlace((before) => (before.columns === columns && before.top === top ? before : { columns, top }));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, [minColumnPx]);

  const rows = useWindowVirtualizer({
    count: Math.ceil(items.length / place.columns),
    estimateSize: () => itemPx + GAP_PX,
    overscan: 4,
    scrollMargin: place.top,
  });
  const style = { gridTemplateColumns: `repeat(${place.columns}, minmax(0, 1fr))` };
  return (
    <div
      role="list"
      ref={list}
      aria-label={label}
      className="relative"
      style={{ height: rows.getTotalSize() }}
    >
      {rows.getVirtualItems().map((row) => (
        <div
          key={row.key}
          role="presentation"
          ref={rows.measureElement}
          data-index={row.index}
          className="absolute inset-x-0 top-0 grid gap-4 pb-4"
          style={{ ...style, transform: `translateY(${row.start - place.top}px)` }}
        >
          {items.slice(row.index * place.columns, (row.index + 1) * place.columns).map((item) => (
            <div role="listitem" key={itemId(item)} className="min-w-0">
              {draw(item)}
            </div>
          ))}
        </div>
      ))}
    </div>
  );
}

type VirtualListProps<T> = Omit<VirtualGridProps<T>, "minColumnPx">;

export function VirtualList<T>(props: VirtualListProps<T>) {
  return <VirtualGrid {...props} minColumnPx={100_000} />;
}
