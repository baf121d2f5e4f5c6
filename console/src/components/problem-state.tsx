// An error from the API with what to do about it, as a part of a page and as a route's own.
import { type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { useEffect, useEffectEvent } from "react";
import { isReached } from "@/api/health";
import { ApiProblem } from "@/api/problem";
import { Alert } from "./ui/alert";
import { ErrorState } from "./ui/states";
import { Words } from "./words";

function advice(problem: ApiProblem): string | undefined {
  if (problem.isOffline) return "Check whether the service is running and whether this machine reaches it.";
  if (problem.status === 401) return "Sign in again.";
  if (problem.status === 403) return "Ask an owner of the organization for the role that it needs.";
  if (problem.status === 404) return "It may have been deleted, or belong to another organization.";
  if (problem.status === 423) return "Unlock the vault first: the lock is at the top of the page.";
  if (problem.status === 429 || problem.status === 503)
    return `Try again in ${problem.retryAfterSeconds ?? 1} s; it passes by itself.`;
  if (problem.status >= 500) return "The coordinator's log says more, under the id below.";
  return undefined;
}

interface ProblemStateProps {
  /** `The runs could not be loaded.` */
  title: string;
  error: unknown;
  onRetry?: () => void;
}

export function ProblemState({ title, error, onRetry }: ProblemStateProps) {
  const retry = onRetry && { onRetry };
  if (!(error instanceof ApiProblem)) {
    const detail = words(error);
    return <ErrorState title={title} detail={detail} {...retry} />;
  }
  return (
    <ErrorState
      title={title}
      detail={<Words text={error.message} />}
      advice={advice(error)}
      trace={error.instance}
      isOffline={error.isOffline}
      {...retry}
    />
  );
}

/** The same within a form or a dialog. */
export function ProblemAlert({ title, error }: { title: string; error: unknown }) {
  if (!error) return null;
  const isKnown = error instanceof ApiProblem;
  return (
    <Alert kind="danger" title={title}>
      <p>
        <Words text={words(error)} />
      </p>
      {isKnown && advice(error) && <p className="text-muted-foreground">{advice(error)}</p>}
      {isKnown && error.instance && <p className="mt-1 font-mono text-xs">{error.instance}</p>}
    </Alert>
  );
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : "an error without words";
}

const AGAIN_MS = 5_000;

/** Where a page's loader or the page itself failed; what passes by itself is tried again by itself. */
export function RouteError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const again = () => {
    reset();
    void router.invalidate();
  };
  const onTime = useEffectEvent(async () => {
    // Not told anew, nor drawn, as long as nothing has changed.
    if (await isReached()) again();
  });
  useEffect(() => {
    if (!(error instanceof ApiProblem && error.isPassing)) return;
    const timer = setInterval(() => void onTime(), AGAIN_MS);
    return () => clearInterval(timer);
  }, [error]);
  return (
    <div className="px-4 py-6 sm:px-8">
      <ProblemState title="This page could not be shown." error={error} onRetry={again} />
    </div>
  );
}
