// One line of a log.
import { Bug, CircleX, Info, type LucideIcon, TriangleAlert } from "lucide-react";
import { memo, type MouseEvent } from "react";
import type { LogLine } from "@/api/run-logs";
import { cn } from "@/lib/cn";
import { formatClock, formatUtc } from "@/lib/format";

const LEVELS: Record<string, { icon: LucideIcon; tone: string }> = {
  debug: { icon: Bug, tone: "text-muted-foreground" },
  info: { icon: Info, tone: "text-info" },
  warn: { icon: TriangleAlert, tone: "text-warning" },
  error: { icon: CircleX, tone: "text-danger" },
};

interface LogRowProps {
  line: LogLine;
  number: number;
  wraps: boolean;
  isPointed: boolean;
  href: string;
  onPoint: (line: number) => void;
}

export const LogRow = memo(function LogRow(props: LogRowProps) {
  const { line, number, wraps, isPointed, href, onPoint } = props;
  const { icon: Icon, tone } = LEVELS[line.level] ?? { icon: Info, tone: "text-info" };
  const fields = Object.entries(line.fields);
  const at = new Date(line.at);
  const point = (event: MouseEvent) => {
    // Into another tab or window it goes by its address.
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    onPoint(number);
  };
  return (
    <div
      className={cn(
        "flex min-h-6.5 items-start gap-3 px-3 py-1 leading-4.5",
        line.level === "error" && "else:bg-danger-soft/40",
        line.level === "warn" && "else:bg-warning-soft/40",
        isPointed && "bg-accent shadow-[inset_3px_0_0_var(--ring)]",
      )}
    >
      <a
        href={href}
        onClick={point}
        aria-label={`Link to line ${number}`}
        className="min-w-9 shrink-0 text-right text-muted-foreground hover:text-link hover:underline"
      >
        {number}
      </a>
      <time dateTime={line.at} title={formatUtc(at)} className="shrink-0 text-muted-foreground">
        {formatClock(at)}
      </time>
      <span className={cn("flex w-14 shrink-0 items-center gap-1", tone)}>
        <Icon aria-hidden className="size-3.5" />
        {line.level}
      </span>
      {line.block && <span className="max-w-48 shrink-0 truncate font-semibold text-link">{line.block}</span>}
      <span className={wraps ? "min-w-0 break-words whitespace-pre-wrap" : "whitespace-pre"}>
        {line.message}
        {fields.map(([name, value]) => (
          <span key={name} className="ml-2 text-muted-foreground">
            {name}=<span className="text-foreground">{value}</span>
          </span>
        ))}
      </span>
    </div>
  );
});
