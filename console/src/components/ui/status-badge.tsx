// A state as icon, word and colour.
import {
  Ban,
  CircleCheck,
  CircleDashed,
  CircleDot,
  CirclePause,
  CircleX,
  Clock,
  LoaderCircle,
  type LucideIcon,
  Pencil,
  RotateCw,
  TriangleAlert,
} from "lucide-react";
import { cn } from "@/lib/cn";
import { Badge, type Tone } from "./badge";

interface Look {
  icon: LucideIcon;
  word: string;
  tone: Tone;
  turns?: boolean;
}

const ok = (word: string): Look => ({ icon: CircleCheck, word, tone: "success" });
const bad = (word: string): Look => ({ icon: CircleX, word, tone: "danger" });
const late = (word: string): Look => ({ icon: TriangleAlert, word, tone: "warning" });
const idle = (word: string): Look => ({ icon: CircleDashed, word, tone: "neutral" });

const LOOKS: Record<string, Look> = {
  success: ok("Succeeded"),
  failed: bad("Failed"),
  error: bad("Error"),
  given_up: bad("Given up"),
  running: { icon: LoaderCircle, word: "Running", tone: "info", turns: true },
  pending: { icon: Clock, word: "Pending", tone: "neutral" },
  waiting: { icon: Clock, word: "Waiting", tone: "warning" },
  cancelled: { icon: Ban, word: "Cancelled", tone: "neutral" },
  active: { icon: CircleDot, word: "Active", tone: "success" },
  paused: { icon: CirclePause, word: "Paused", tone: "neutral" },
  draft: { icon: Pencil, word: "Draft", tone: "info" },
  stalled: late("Stalled"),
  stale: late("Stale"),
  interrupted: late("Interrupted"),
  draining: late("Draining"),
  delivered: ok("Delivered"),
  fresh: ok("Fresh"),
  untested: { icon: CircleDashed, word: "Not tested", tone: "neutral" },
  never: idle("Never"),
  skipped: idle("Skipped"),
  retrying: { icon: RotateCw, word: "Retrying", tone: "warning" },
  committing: { icon: LoaderCircle, word: "Committing", tone: "info", turns: true },
  failing: { icon: LoaderCircle, word: "Failing", tone: "danger", turns: true },
  cancelling: { icon: LoaderCircle, word: "Cancelling", tone: "neutral", turns: true },
  won: ok("Done"),
  lost: late("Lost"),
};

const TEXTS: Record<Tone, string> = {
  neutral: "",
  grey: "",
  purple: "text-link",
  accent: "text-link",
  success: "text-success",
  danger: "text-danger",
  warning: "text-warning",
  info: "text-info",
};

/** The same without its pill, where little room is. */
export function StatusIcon({ status }: { status: string }) {
  const { icon: Icon, word, tone, turns } = LOOKS[status] ?? idle(status.replaceAll("_", " "));
  return (
    <span className={cn("inline-flex items-center gap-1 text-xs font-medium", TEXTS[tone])}>
      <Icon aria-hidden className={cn("size-3.5", turns && "animate-spin motion-reduce:animate-none")} />
      {word}
    </span>
  );
}

/** How a state is called. */
export function statusWord(status: string): string {
  return LOOKS[status]?.word ?? status.replaceAll("_", " ");
}

/** `word` where it is called otherwise here, such as a connection that is "Connected". */
export function StatusBadge({ status, word }: { status: string; word?: string }) {
  const look = LOOKS[status] ?? idle(status.replaceAll("_", " "));
  const Icon = look.icon;
  return (
    <Badge tone={look.tone}>
      <Icon aria-hidden className={look.turns ? "animate-spin motion-reduce:animate-none" : undefined} />
      {word ?? look.word}
    </Badge>
  );
}
