// The SQL as the database gets it, of what is typed, saved or not; the database says whether it understands it.
import { PostgreSQL, sql as sqlLanguage } from "@codemirror/lang-sql";
import { useQuery } from "@tanstack/react-query";
import { compiledQuery } from "@/api/transformations";
import { CodeEditor } from "@/components/code-editor";
import { ProblemAlert } from "@/components/problem-state";
import { Alert } from "@/components/ui/alert";
import { CopyButton } from "@/components/ui/copy-button";
import { Skeleton } from "@/components/ui/states";

const language = sqlLanguage({ dialect: PostgreSQL });

export function CompiledTab({ id, sql }: { id: string; sql: string }) {
  const { data, error, isPending } = useQuery(compiledQuery(id, sql));
  if (isPending) return <Skeleton className="h-64 rounded-lg" />;
  if (error) return <ProblemAlert title="The database would not take it." error={error} />;
  return (
    <div className="flex flex-col gap-3">
      <Alert kind="success" title="The database understands it.">
        {data.relation ? (
          <>
            It makes <code>{data.relation}</code>; nothing was made to look at it.
          </>
        ) : (
          "It stands in those that refer to it, and makes nothing by itself."
        )}
      </Alert>
      <div className="relative">
        <CodeEditor
          label="Compiled SQL"
          value={data.sql}
          onChange={() => undefined}
          language={language}
          isReadOnly
          hasLines
          className="h-80 2xl:h-[28rem]"
        />
        <CopyButton text={data.sql} label="Copy the SQL" className="absolute top-2 right-2 bg-raised" />
      </div>
    </div>
  );
}
