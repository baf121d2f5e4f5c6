// What the run waits for, in one sentence above everything else.
import { Gauge, Hourglass, TriangleAlert } from "lucide-react";
import { Fragment } from "react";
import type { RunDetail } from "@/api/runs";
import { Alert } from "@/components/ui/alert";

export function Bottleneck({ run }: { run: RunDetail }) {
  const { view } = run;
  const stalled = Object.values(view.segments).flatMap(({ stalled }) => (stalled ? [stalled] : []));
  return (
    <>
      {view.waiting && (
        <Alert kind="warning" title={<Named text={`The run stands still: ${view.waiting}.`} />}>
          {view.waiting.includes("unlock") &&
            "It goes on once the vault is unlocked: the lock is at the top of the page."}
        </Alert>
      )}
      {stalled.map((text) => (
        <p
          key={text}
          className="flex items-center gap-3 rounded-xl border border-warning/40 bg-warning-soft/60 px-4 py-3"
        >
          <Hourglass aria-hidden className="size-5 shrink-0 text-warning" />
          <Named text={text} />
        </p>
      ))}
      {run.error && (
        <p className="flex items-start gap-3 rounded-xl border border-danger/40 bg-danger-soft/50 px-4 py-3">
          <TriangleAlert aria-hidden className="mt-0.5 size-5 shrink-0 text-danger" />
          <span className="min-w-0 break-words">
            {run.error.block && (
              <>
                <Name name={run.error.block} /> failed:{" "}
              </>
            )}
            <Named text={run.error.cause} />
          </span>
        </p>
      )}
      {view.bottleneck && (
        <p className="flex items-center gap-3 rounded-xl border border-primary/30 bg-accent/50 px-4 py-3">
          <Gauge aria-hidden className="size-5 shrink-0 text-link" />
          <span>
            <Named text={view.bottleneck.text} />.
          </span>
        </p>
      )}
    </>
  );
}

function Name({ name }: { name: string }) {
  return <strong className="font-semibold">{name}</strong>;
}

/** A part of a sentence, whose names stand in backticks. */
export function Named({ text }: { text: string }) {
  return text
    .split("`")
    .map((part, index) => <Fragment key={index}>{index % 2 === 1 ? <Name name={part} /> : part}</Fragment>);
}
