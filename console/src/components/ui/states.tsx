// What a page shows while there is nothing to show: being empty, waiting, failing.
import { CloudOff, type LucideIcon, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { cn } from "@/lib/cn";
import { Button } from "./button";
import { CopyButton } from "./copy-button";

interface EmptyStateProps {
  icon: LucideIcon;
  /** One sentence. */
  title: string;
  /** The primary button. */
  action?: ReactNode;
  /** One link. */
  link?: ReactNode;
}

export function EmptyState({ icon: Icon, title, action, link }: EmptyStateProps) {
  return (
    <div className="flex flex-col items-center gap-4 rounded-xl border border-dashed border-input/60 px-6 py-16 text-center">
      <span className="grid size-14 place-items-center rounded-2xl bg-accent text-accent-foreground">
        <Icon aria-hidden className="size-7" />
      </span>
      <p className="max-w-md text-base">{title}</p>
      {action}
      {link && <div className="text-sm text-link [&_a]:underline-offset-4 [&_a]:hover:underline">{link}</div>}
    </div>
  );
}

interface ErrorStateProps {
  /** What failed: `The connections could not be loaded.` */
  title: string;
  /** The service's words. */
  detail: ReactNode;
  /** What to do about it. */
  advice?: string | undefined;
  /** By which the service's log knows it. */
  trace?: string | null;
  isOffline?: boolean;
  onRetry?: () => void;
  className?: string;
}

export function ErrorState(props: ErrorStateProps) {
  const { title, detail, advice, trace, isOffline, onRetry, className } = props;
  const Icon = isOffline ? CloudOff : TriangleAlert;
  return (
    <div
      role="alert"
      className={cn("flex gap-4 rounded-xl border border-danger/40 bg-danger-soft/40 p-5", className)}
    >
      <Icon aria-hidden className="mt-0.5 size-5 shrink-0 text-danger" />
      <div className="flex min-w-0 flex-col items-start gap-2">
        <p className="font-semibold">{title}</p>
        <p className="break-words whitespace-pre-wrap">{detail}</p>
        {advice && <p className="text-muted-foreground">{advice}</p>}
        {trace && (
          <p className="flex items-center gap-1 font-mono text-xs text-muted-foreground">
            {trace}
            <CopyButton text={trace} label="Copy trace id" />
          </p>
        )}
        {onRetry && <Button onClick={onRetry}>Try again</Button>}
      </div>
    </div>
  );
}

/** A grey shape where something is to come. */
export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={cn("animate-pulse else:rounded-md bg-border/80", className)} />;
}

/** Says once, to those who cannot see the shapes, that they wait. */
export function SkeletonPage({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div role="status" aria-busy className="flex flex-col gap-4">
      <span className="sr-only">{label}</span>
      {children}
    </div>
  );
}
