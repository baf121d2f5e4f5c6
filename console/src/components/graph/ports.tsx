// What flows between blocks: each sort with words, a colour and a shape of its own.
import { cn } from "@/lib/cn";

interface PortLook {
  label: string;
  /** Within a sentence. */
  words: string;
  colour: string;
  /** In a square of 12. */
  shape: string;
}

const PORTS: Record<string, PortLook> = {
  DB_TABLE: {
    label: "Table",
    words: "a table in a database",
    colour: "#2563eb",
    shape: "M1.5 1.5h9v9h-9z",
  },
  S3_FILE: {
    label: "Rows",
    words: "rows",
    colour: "#9333ea",
    shape: "M2 .8h5L10.2 4v7.2H2z M7 .8V4h3.2",
  },
  ML_MODEL: {
    label: "Model",
    words: "a model",
    colour: "#c2410c",
    shape: "M6 .6 10.8 3.3v5.4L6 11.4 1.2 8.7V3.3z",
  },
  TRIGGER: {
    label: "Order",
    words: "an order",
    colour: "#737373",
    shape: "M7 .6 2 7h3.2L4.6 11.4 10 5H6.6z",
  },
};
const NOTHING: PortLook = {
  label: "Nothing",
  words: "nothing",
  colour: "#737373",
  shape: "M6 1.2a4.8 4.8 0 1 0 0 9.6a4.8 4.8 0 1 0 0-9.6z",
};

/** Null: nothing flows. Sorts that are not known here are called by their names. */
export function portLook(port: string | null): PortLook {
  if (port === null) return NOTHING;
  return PORTS[port] ?? { ...NOTHING, label: port, words: port };
}

export function PortShape({ port, className }: { port: string | null; className?: string }) {
  const { shape, colour } = portLook(port);
  return (
    <svg viewBox="0 0 12 12" aria-hidden className={cn("else:size-3.5 shrink-0 overflow-visible", className)}>
      <path d={shape} fill="var(--card)" stroke={colour} strokeWidth="1.6" strokeLinejoin="round" />
    </svg>
  );
}
