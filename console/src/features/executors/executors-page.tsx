// Who works: executors, what they have room for, and what they do.
import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { PowerOff, Server } from "lucide-react";
import { useState } from "react";
import { type Executor, executorQuery, executorsQuery, useDrainExecutor } from "@/api/executors";
import { useMay } from "@/api/me";
import { Page } from "@/components/page";
import { ProblemAlert, ProblemState } from "@/components/problem-state";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { CopyButton } from "@/components/ui/copy-button";
import { Drawer } from "@/components/ui/dialog";
import { EmptyState, Skeleton } from "@/components/ui/states";
import { StatusBadge } from "@/components/ui/status-badge";
import { plural } from "@/lib/format";

const route = getRouteApi("/app/executors");

export function ExecutorsPage() {
  const { data: executors } = useSuspenseQuery(executorsQuery);
  const { executor: shown } = route.useSearch();
  const navigate = route.useNavigate();
  const [leaving, setLeaving] = useState<Executor | null>(null);
  const drain = useDrainExecutor();
  const working = executors.filter((executor) => !executor.draining);
  return (
    <Page title="Executors" lead={lead(executors)}>
      {executors.length > 0 && working.length === 0 && (
        <Alert
          kind="warning"
          title="All executors are draining: nothing new begins until another one is started."
        />
      )}
      {executors.length === 0 ? (
        <EmptyState
          icon={Server}
          title="No executor is alive: runs wait until one is started."
          link={<Link to="/runs">Runs that wait</Link>}
        />
      ) : (
        <ul className="grid grid-cols-[repeat(auto-fill,minmax(20rem,1fr))] gap-4">
          {executors.map((executor) => (
            <li key={executor.id}>
              <ExecutorCard executor={executor} onDrain={() => setLeaving(executor)} />
            </li>
          ))}
        </ul>
      )}
      {shown && <ExecutorDrawer id={shown} onClose={() => void navigate({ search: {}, replace: true })} />}
      <ConfirmDialog
        isOpen={leaving !== null}
        onClose={() => setLeaving(null)}
        title={`Drain ${leaving ? name(leaving) : ""}?`}
        action="Drain executor"
        isBusy={drain.isPending}
        onConfirm={() => leaving && drain.mutate(leaving.id, { onSuccess: () => setLeaving(null) })}
        error={<ProblemAlert title="The executor could not be drained." error={drain.error} />}
      >
        <p>
          It takes nothing new, finishes its {plural(leaving?.busy ?? 0, "attempt")}, and ends. To have it
          work again, start it again.
        </p>
      </ConfirmDialog>
    </Page>
  );
}

function lead(executors: readonly Executor[]): string {
  const busy = executors.reduce((sum, executor) => sum + executor.busy, 0);
  const slots = executors.reduce((sum, executor) => sum + executor.slots, 0);
  const room = executors.some((executor) => executor.slots === 0) ? "no limit" : `${slots} slots`;
  return `${plural(executors.length, "executor")} alive, ${plural(busy, "attempt")} under way, ${room}.`;
}

function name(executor: Executor): string {
  return executor.address || "the coordinator's own process";
}

function ExecutorCard({ executor, onDrain }: { executor: Executor; onDrain: () => void }) {
  const may = useMay("delete");
  const isOwn = executor.address === "";
  return (
    <Card lifts className="flex flex-col gap-4 p-5">
      <div className="flex items-start gap-3">
        <span className="grid size-10 shrink-0 place-items-center rounded-lg bg-accent text-accent-foreground">
          <Server aria-hidden className="size-5" />
        </span>
        <div className="min-w-0 flex-1">
          <h2 className="truncate font-semibold" title={name(executor)}>
            <Link to="/executors" search={{ executor: executor.id }} className="hover:underline">
              {isOwn ? "In the coordinator" : executor.address}
            </Link>
          </h2>
          <p className="flex items-center font-mono text-xs text-muted-foreground">
            <span className="truncate">{executor.id}</span>
            <CopyButton text={executor.id} label="Copy the executor's id" />
          </p>
        </div>
        <StatusBadge
          status={executor.draining ? "draining" : "active"}
          word={executor.draining ? "Draining" : "Working"}
        />
      </div>
      <Slots executor={executor} />
      <div className="flex items-center justify-between text-muted-foreground">
        <span>Version {executor.version}</span>
        <Button
          size="sm"
          aria-label={`Drain ${name(executor)}`}
          refusal={
            may.reason ??
            (isOwn ? "It ends with the coordinator." : executor.draining ? "It is draining already." : null)
          }
          onClick={onDrain}
        >
          <PowerOff aria-hidden /> Drain
        </Button>
      </div>
    </Card>
  );
}

function Slots({ executor: { busy, slots } }: { executor: Executor }) {
  return (
    <div>
      <p className="flex justify-between">
        <span className="font-medium">{plural(busy, "attempt")} under way</span>
        <span className="text-muted-foreground">
          {slots > 0 ? `of ${plural(slots, "slot")}` : "no limit"}
        </span>
      </p>
      {slots > 0 && (
        <div className="mt-1.5 h-2 overflow-hidden rounded-full bg-border">
          <div className="h-full bg-primary" style={{ width: `${Math.min(1, busy / slots) * 100}%` }} />
        </div>
      )}
    </div>
  );
}

function ExecutorDrawer({ id, onClose }: { id: string; onClose: () => void }) {
  const { data, error, refetch } = useQuery(executorQuery(id));
  return (
    <Drawer
      isOpen
      onClose={onClose}
      title={data ? data.address || "The coordinator’s own process" : "Executor"}
    >
      {error && (
        <ProblemState
          title="The executor could not be loaded."
          error={error}
          onRetry={() => void refetch()}
        />
      )}
      {!data && !error && <Skeleton className="h-40" />}
      {data && (
        <div className="flex flex-col gap-5">
          <Slots executor={data} />
          <p className="text-muted-foreground">
            Version {data.version}. What it uses of processor and memory is not told here.
          </p>
          <section>
            <h3 className="mb-2 font-semibold">Runs that it works for</h3>
            {data.runs.length === 0 && <p className="text-muted-foreground">None of this organization.</p>}
            <ul className="space-y-1 font-mono text-xs">
              {data.runs.map((run) => (
                <li key={run}>
                  <Link
                    to="/runs/$run"
                    params={{ run }}
                    className="inline-block min-h-6 text-link hover:underline"
                  >
                    {run}
                  </Link>
                </li>
              ))}
            </ul>
          </section>
        </div>
      )}
    </Drawer>
  );
}
