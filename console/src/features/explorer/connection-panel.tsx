// A connection as it was looked at: how old that is, looking anew, and what has changed since the look before.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { RefreshCw, Telescope } from "lucide-react";
import type { Connection } from "@/api/connections";
import { type Look, lookQuery, useLookAt } from "@/api/discovery";
import { useMay } from "@/api/me";
import { ProblemAlert, ProblemState } from "@/components/problem-state";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { EmptyState, Skeleton } from "@/components/ui/states";
import { StatusBadge } from "@/components/ui/status-badge";
import { Count, Time } from "@/components/ui/values";
import { Words } from "@/components/words";
import { plural } from "@/lib/format";
import { DriftList } from "./drift-list";

/** `isSmall`: a table of it is what is looked at. */
export function ConnectionPanel({ connection, isSmall }: { connection: Connection; isSmall: boolean }) {
  const { data: look, error, refetch } = useQuery(lookQuery(connection.id));
  const lookAt = useLookAt();
  const may = useMay("edit");
  if (error && !look)
    return (
      <ProblemState
        title={`What lies behind ${connection.name} could not be loaded.`}
        error={error}
        onRetry={() => void refetch()}
      />
    );
  if (!look) return <Skeleton className="h-16 rounded-xl" />;
  const isLooking = look.state === "running" || lookAt.isPending;
  const refresh = (variant: "primary" | "secondary", label: string) => (
    <Button
      variant={variant}
      refusal={may.reason}
      isBusy={isLooking}
      onClick={() => lookAt.mutate(connection.id)}
    >
      {!isLooking && (variant === "primary" ? <Telescope aria-hidden /> : <RefreshCw aria-hidden />)}
      {label}
    </Button>
  );
  const troubles = (
    <>
      <ProblemAlert title="It could not be looked at." error={lookAt.error} />
      {(look.state === "failed" || look.state === "interrupted") && (
        <Alert kind="danger" title="The last look failed.">
          <Words text={look.message ?? "it was interrupted: nothing is known of why"} />
        </Alert>
      )}
    </>
  );
  if (!look.found_at)
    return (
      <div className="flex flex-col gap-4">
        <EmptyState
          icon={Telescope}
          title={
            isLooking
              ? progress(look)
              : `Nothing is known of ${connection.name} yet: look at its catalogue to see schemas and tables.`
          }
          action={refresh("primary", "Look at it")}
          link={
            <Link to="/connections" search={{ edit: connection.id }}>
              See how it is reached
            </Link>
          }
        />
        {troubles}
      </div>
    );
  return (
    <div className="flex flex-col gap-5">
      <Card className="flex flex-wrap items-center gap-x-5 gap-y-2 px-4 py-3">
        <h2 className="truncate text-base font-semibold">{connection.name}</h2>
        <span className="text-muted-foreground">
          <Count value={look.tables ?? 0} /> {look.tables === 1 ? "table" : "tables"}
        </span>
        <span className="text-muted-foreground">
          Looked at <Time at={look.found_at} />
        </span>
        <span role="status" className="flex min-w-0 flex-1 items-center gap-2 text-muted-foreground">
          {isLooking && (
            <>
              <StatusBadge status="running" word="Looking" /> {progress(look)}
            </>
          )}
        </span>
        {refresh("secondary", "Refresh")}
      </Card>
      {troubles}
      {!isSmall && <DriftList connection={connection.id} drift={look.drift ?? null} />}
    </div>
  );
}

function progress(look: Look): string {
  return look.progress ? `${plural(look.progress, "table")} found so far` : "Reading its catalogue…";
}
