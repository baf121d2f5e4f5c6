// What is wrong with the file; each leads to where it is.
import { CircleCheck, CircleX, LoaderCircle } from "lucide-react";
import type { FileProblem } from "@/api/pipeline-checks";
import { ProblemAlert } from "@/components/problem-state";
import { Words } from "@/components/words";
import type { Editing } from "./use-draft";

interface ProblemsPanelProps {
  editing: Editing;
  onGo: (problem: FileProblem) => void;
}

export function ProblemsPanel({ editing, onGo }: ProblemsPanelProps) {
  const { checked, isChecking, checkError } = editing;
  const problems = checked?.problems ?? [];
  if (checkError)
    return (
      <div className="p-3">
        <ProblemAlert title="The file could not be checked." error={checkError} />
      </div>
    );
  if (!checked) return <p className="p-4 text-muted-foreground">It is being checked.</p>;
  if (problems.length === 0)
    return (
      <p className="flex items-center gap-2 p-4" role="status">
        <CircleCheck aria-hidden className="size-4 text-success" /> Nothing is wrong.
        {isChecking && <LoaderCircle aria-hidden className="size-4 animate-spin text-muted-foreground" />}
      </p>
    );
  return (
    <ul aria-label="Problems" className="divide-y divide-border">
      {problems.map((problem) => (
        <li key={`${problem.line} ${problem.column} ${problem.message}`}>
          <button
            type="button"
            onClick={() => onGo(problem)}
            className="flex min-h-10 w-full items-start gap-2.5 px-4 py-2 text-left -outline-offset-2 hover:bg-muted"
          >
            <CircleX aria-hidden className="mt-0.5 size-4 shrink-0 text-danger" />
            <span className="min-w-0 flex-1">
              {problem.block && <span className="font-medium">{problem.block}: </span>}
              <Words text={problem.message} />{" "}
              {problem.hint && (
                <span className="text-muted-foreground">
                  <Words text={problem.hint} />
                </span>
              )}
            </span>
            <span className="shrink-0 font-mono text-xs text-muted-foreground">
              {problem.line > 0 ? `line ${problem.line}, column ${problem.column}` : "no line"}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
