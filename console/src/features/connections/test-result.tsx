// What came of a test: green with the version, or red with the server's words and what may help.
import type { Schemas } from "@/api/types";
import { ProblemAlert } from "@/components/problem-state";
import { Words } from "@/components/words";
import { Alert } from "@/components/ui/alert";

interface TestResultProps {
  answer: Schemas["TestAnswer"] | undefined;
  error: unknown;
}

export function TestResult({ answer, error }: TestResultProps) {
  if (error) return <ProblemAlert title="The test could not be made." error={error} />;
  if (!answer) return null;
  if (answer.success) {
    return (
      <Alert kind="success" title={answer.message}>
        {answer.details.version && <p className="font-mono text-xs">{answer.details.version}</p>}
      </Alert>
    );
  }
  return (
    <Alert kind="danger" title="Connection failed">
      <p className="whitespace-pre-wrap">
        <Words text={answer.message} />
      </p>
      {answer.hint && (
        <p className="mt-1">
          <span className="font-medium">Hint:</span> <Words text={answer.hint} />
        </p>
      )}
    </Alert>
  );
}
