// One trigger: what it waits for, and what came of its newest events.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleCheck, CircleDashed } from "lucide-react";
import { triggerQuery } from "@/api/triggers";
import { ProblemState } from "@/components/problem-state";
import { Section } from "@/components/ui/card";
import { Drawer } from "@/components/ui/dialog";
import { Skeleton } from "@/components/ui/states";
import { Time } from "@/components/ui/values";
import { nameOf } from "./trigger-words";

export function TriggerDrawer({ id, onClose }: { id: string; onClose: () => void }) {
  const { data: trigger, error, refetch } = useQuery(triggerQuery(id));
  const title = trigger ? nameOf(trigger).replace(/^the /, "The ") : "A trigger";
  return (
    <Drawer isOpen onClose={onClose} title={title}>
      {error && !trigger && (
        <ProblemState title="The trigger could not be loaded." error={error} onRetry={() => void refetch()} />
      )}
      {!error && !trigger && <Skeleton className="h-48 rounded-xl" />}
      {trigger && (
        <div className="flex flex-col gap-6">
          {trigger.kind === "webhook" ? (
            <p className="text-muted-foreground">
              Its address was shown when it was made. Where it is lost, make another trigger and delete this
              one.
            </p>
          ) : trigger.kind === "files" ? (
            <Section title="Looks for files">
              <p>
                At <code>{trigger.place}</code>, every {trigger.every_seconds} s.
              </p>
              {trigger.problem && <p className="mt-1 text-danger">{trigger.problem}</p>}
            </Section>
          ) : (
            <Section title="Waits for">
              <ul className="flex flex-col gap-2">
                {trigger.upstream.map(({ upstream_id, upstream_name, run_id }) => (
                  <li key={upstream_id} className="flex items-center gap-2">
                    {run_id ? (
                      <CircleCheck aria-hidden className="size-4 text-success" />
                    ) : (
                      <CircleDashed aria-hidden className="size-4 text-muted-foreground" />
                    )}
                    <span className="font-medium">{upstream_name}</span>
                    {run_id ? (
                      <Link to="/runs/$run" params={{ run: run_id }} className="text-link hover:underline">
                        has succeeded
                      </Link>
                    ) : (
                      <span className="text-muted-foreground">is waited for</span>
                    )}
                  </li>
                ))}
              </ul>
            </Section>
          )}
          <Section title="Newest events">
            {trigger.firings.length === 0 ? (
              <p className="text-muted-foreground">Nothing has happened yet.</p>
            ) : (
              <ul className="divide-y divide-border rounded-xl border border-border">
                {trigger.firings.map(({ id, at, run_id, error }) => (
                  <li key={id} className="flex min-h-11 flex-wrap items-center gap-x-4 px-4 py-2">
                    <Time at={at} />
                    {run_id ? (
                      <Link to="/runs/$run" params={{ run: run_id }} className="text-link hover:underline">
                        Open run
                      </Link>
                    ) : (
                      <span className={error ? "text-danger" : "text-warning"}>
                        {error ?? "waits for its run"}
                      </span>
                    )}
                  </li>
                ))}
              </ul>
            )}
          </Section>
        </div>
      )}
    </Drawer>
  );
}
