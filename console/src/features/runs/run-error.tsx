// Why a run did not succeed: the cause first, then what it led to.
import { Link } from "@tanstack/react-router";
import { ScrollText } from "lucide-react";
import type { RunDetail } from "@/api/runs";
import { Words } from "@/components/words";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { CopyButton } from "@/components/ui/copy-button";

type Wrong = NonNullable<RunDetail["error"]>;

/** What each sort of error asks of whoever reads it. */
const ADVICE: Record<string, string> = {
  user: "Change the pipeline or the data, then retry from the failed block or run it again.",
  source_transient: "The source may be back by now: retry from the failed block.",
  sink_transient: "The target may be back by now: retry from the failed block.",
  data_test: "The data broke a test, so that nothing behind it was loaded. The rows are under Data.",
  resource: "Give the pipeline more memory by `memory:`, or let it read less at once.",
  stalled: "Nothing moved for too long. The log tells what each block waited for.",
  lost_executor: "The executor went away. Retry from the failed block: another one takes it.",
  truncated: "The source ended early. Retry from the failed block.",
};

export function RunErrorPart({ run, error }: { run: RunDetail; error: Wrong }) {
  const tried = run.attempts.filter((attempt) => attempt.error);
  return (
    <Card className="flex flex-col gap-5 p-6">
      <div className="flex flex-wrap items-center gap-2">
        <Badge tone="danger">{error.class.replaceAll("_", " ")}</Badge>
        {error.block && (
          <span>
            in <strong>{error.block}</strong>
          </span>
        )}
      </div>
      <p className="max-w-4xl text-lg font-semibold break-words">
        <Words text={error.cause} />
      </p>
      {ADVICE[error.class] && <p className="text-muted-foreground">{ADVICE[error.class]}</p>}
      {error.led_to.length > 0 && (
        <details className="rounded-lg border border-border" open={error.led_to.length < 4}>
          <summary className="min-h-9 cursor-pointer px-4 py-2 font-medium">What that led to</summary>
          <ol className="list-decimal space-y-1 px-10 pb-3 break-words">
            {error.led_to.map((step, index) => (
              <li key={index}>
                <Words text={step} />
              </li>
            ))}
          </ol>
        </details>
      )}
      {tried.length > 1 && (
        <details className="rounded-lg border border-border">
          <summary className="min-h-9 cursor-pointer px-4 py-2 font-medium">All {tried.length} tries</summary>
          <ul className="space-y-2 px-4 pb-3">
            {tried.map((attempt) => (
              <li key={`${attempt.segment} ${attempt.number}`} className="break-words">
                <strong>
                  {attempt.segment}, try {attempt.number}:
                </strong>{" "}
                {attempt.error?.message}
              </li>
            ))}
          </ul>
        </details>
      )}
      <details className="rounded-lg border border-border">
        <summary className="min-h-9 cursor-pointer px-4 py-2 font-medium">In full</summary>
        <div className="flex items-start gap-2 px-4 pb-3">
          <pre className="min-w-0 flex-1 font-mono text-xs break-words whitespace-pre-wrap">
            {error.message}
          </pre>
          <CopyButton text={error.message} label="Copy the error" />
        </div>
      </details>
      <div>
        <Button asChild>
          <Link
            to="/runs/$run"
            params={{ run: run.id }}
            search={{ tab: "logs", level: "error", ...(error.block && { block: error.block }) }}
          >
            <ScrollText aria-hidden /> Its lines in the log
          </Link>
        </Button>
      </div>
    </Card>
  );
}
