// What flows between blocks, each sort with a colour and a shape of its own.
import { Bolt, FileText, Hexagon, type LucideIcon, Square } from "lucide-react";
import { cn } from "@/lib/cn";

export const PORT_TYPES = ["DB_TABLE", "S3_FILE", "ML_MODEL", "TRIGGER"] as const;
export type PortType = (typeof PORT_TYPES)[number];

interface PortLook {
  label: string;
  icon: LucideIcon;
  /** The colour of lines and shapes. */
  colour: string;
}

export const PORTS: Record<PortType, PortLook> = {
  DB_TABLE: { label: "Table in a database", icon: Square, colour: "#2563eb" },
  S3_FILE: { label: "Rows", icon: FileText, colour: "#9333ea" },
  ML_MODEL: { label: "Model", icon: Hexagon, colour: "#c2410c" },
  TRIGGER: { label: "Order", icon: Bolt, colour: "#737373" },
};

export function portType(text: string | null | undefined): PortType | null {
  return PORT_TYPES.find((type) => type === text) ?? null;
}

/** The points of each shape in a square of 12. */
const SHAPES: Record<PortType, string> = {
  DB_TABLE: "M1.5 1.5h9v9h-9z",
  S3_FILE: "M2 .8h5L10.2 4v7.2H2z M7 .8V4h3.2",
  ML_MODEL: "M6 .6 10.8 3.3v5.4L6 11.4 1.2 8.7V3.3z",
  TRIGGER: "M7 .6 2 7h3.2L4.6 11.4 10 5H6.6z",
};

export function PortShape({ type, className }: { type: PortType; className?: string }) {
  return (
    <svg viewBox="0 0 12 12" aria-hidden className={cn("size-3", className)}>
      <path
        d={SHAPES[type]}
        fill="var(--card)"
        stroke={PORTS[type].colour}
        strokeWidth="1.6"
        strokeLinejoin="round"
      />
    </svg>
  );
}
