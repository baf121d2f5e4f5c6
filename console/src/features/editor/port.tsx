// What flows, as shape and colour: a square is a table, a page is rows, a hexagon a model, a bolt a start.

const LOOKS: Record<string, { path: string; colour: string; word: string }> = {
  DB_TABLE: { path: "M2 2h12v12H2z", colour: "fill-sky-600 dark:fill-sky-400", word: "Table" },
  S3_FILE: { path: "M3 1h7l4 4v10H3z", colour: "fill-primary dark:fill-purple-400", word: "Rows" },
  ML_MODEL: {
    path: "M8 1l6 3.5v7L8 15l-6-3.5v-7z",
    colour: "fill-amber-600 dark:fill-amber-400",
    word: "Model",
  },
  TRIGGER: {
    path: "M9.5 0L3 9h4l-1 7 7-10H8.5z",
    colour: "fill-rose-600 dark:fill-rose-400",
    word: "Trigger",
  },
};

export function portLabel(port: string | null): string {
  return port === null ? "Ends" : (LOOKS[port]?.word ?? port);
}

export function PortShape({ port, className = "size-3.5" }: { port: string | null; className?: string }) {
  const look = port === null ? undefined : LOOKS[port];
  return (
    <svg viewBox="0 0 16 16" aria-hidden className={`${className} shrink-0 overflow-visible`}>
      <path
        d={look?.path ?? "M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12z"}
        className={look?.colour ?? "fill-neutral-500"}
        stroke="var(--card)"
        strokeWidth={1}
      />
    </svg>
  );
}
