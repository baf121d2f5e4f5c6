// The query, and the tables beside it that it may read: each is put in by a press.
import { PostgreSQL, sql } from "@codemirror/lang-sql";
import type { EditorView } from "@codemirror/view";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { FileCode2, Table2 } from "lucide-react";
import { type ReactNode, useMemo, useState } from "react";
import { type Source, sourcesQuery, transformationsQuery } from "@/api/transformations";
import { CodeEditor } from "@/components/code-editor";
import { Card } from "@/components/ui/card";
import { SearchInput } from "@/components/ui/input";
import { Time } from "@/components/ui/values";
import { referencesIn } from "./references";
import type { Wish } from "./use-wish";

const NONE: readonly Source[] = [];

export function SqlTab({ wish: { now, put }, isReadOnly }: { wish: Wish; isReadOnly: boolean }) {
  const [view, setView] = useState<EditorView | null>(null);
  const [q, setQ] = useState("");
  const { data: sources = NONE } = useQuery(sourcesQuery);
  const { data: pages } = useInfiniteQuery(transformationsQuery);
  const { id: own, connection: database } = now;
  const others = useMemo(
    () =>
      (pages?.pages ?? [])
        .flatMap(({ transformations }) => transformations)
        .filter(({ id, connection }) => id !== own && connection === database),
    [pages, own, database],
  );
  const readable = useMemo(
    () => sources.filter(({ connection }) => connection === database),
    [sources, database],
  );
  const language = useMemo(
    () => [
      sql({ dialect: PostgreSQL, upperCaseKeywords: false }),
      referencesIn(
        others.map(({ name }) => name),
        readable.map(({ source, table }) => [source, table]),
      ),
    ],
    [others, readable],
  );
  const isLike = (...texts: string[]) => texts.some((text) => text.toLowerCase().includes(q.toLowerCase()));
  const insert = (text: string) => {
    if (!view || isReadOnly) return;
    view.dispatch(view.state.replaceSelection(text));
    view.focus();
  };
  return (
    <div className="grid gap-4 lg:grid-cols-[minmax(0,1fr)_20rem]">
      <div className="flex flex-col gap-2">
        <CodeEditor
          label={`SQL of ${now.name}`}
          value={now.sql_body}
          onChange={(sql_body) => put({ sql_body })}
          language={language}
          hint="select … from {{ source('raw', 'orders') }}"
          isReadOnly={isReadOnly}
          hasLines
          onView={setView}
          className="h-[26rem] 2xl:h-[36rem]"
        />
        <p className="text-xs text-muted-foreground">
          One query in the database’s own dialect. <code>{"{{ ref('name') }}"}</code> is another
          transformation, <code>{"{{ source('schema', 'table') }}"}</code> a table that a pipeline has loaded.
        </p>
      </div>
      <Card className="flex max-h-[26rem] flex-col overflow-hidden 2xl:max-h-[36rem]">
        <div className="border-b border-border p-2">
          <SearchInput label="Search tables" value={q} onChange={setQ} />
        </div>
        <div
          role="group"
          aria-label="Tables: one that is pressed is put into the query"
          className="flex flex-col gap-3 overflow-y-auto p-3"
        >
          <Tables title="Transformations" none="No other one in this database.">
            {others
              .filter(({ name }) => isLike(name))
              .map(({ id, name, schema_name }) => (
                <Line
                  key={id}
                  icon={<FileCode2 aria-hidden className="size-4 shrink-0 text-success" />}
                  name={name}
                  aside={schema_name}
                  onPress={() => insert(`{{ ref('${name}') }}`)}
                />
              ))}
          </Tables>
          <Tables title="Loaded by pipelines" none="No pipeline has loaded a table of this database.">
            {readable
              .filter(({ source, table }) => isLike(source, table))
              .map(({ id, source, table, loaded_at, pipeline, columns }) => (
                <Line
                  key={id}
                  icon={<Table2 aria-hidden className="size-4 shrink-0 text-muted-foreground" />}
                  name={table}
                  aside={<Time at={loaded_at} />}
                  words={[
                    `${source}, loaded by ${pipeline}`,
                    ...(columns.length > 0 ? [columns.map(({ name }) => name).join(", ")] : []),
                  ].join(": ")}
                  onPress={() => insert(`{{ source('${source}', '${table}') }}`)}
                />
              ))}
          </Tables>
        </div>
      </Card>
    </div>
  );
}

function Tables({ title, none, children }: { title: string; none: string; children: readonly ReactNode[] }) {
  return (
    <section className="flex flex-col gap-1">
      <h2 className="px-1 text-xs font-medium text-muted-foreground">{title}</h2>
      {children.length > 0 ? <ul>{children}</ul> : <p className="px-1 text-muted-foreground">{none}</p>}
    </section>
  );
}

interface LineProps {
  icon: ReactNode;
  name: string;
  aside: ReactNode;
  words?: string;
  onPress: () => void;
}

function Line({ icon, name, aside, words, onPress }: LineProps) {
  return (
    <li>
      <button
        type="button"
        onClick={onPress}
        className="flex w-full items-start gap-2 rounded-lg px-1 py-1.5 text-left hover:bg-muted"
      >
        <span className="mt-0.5">{icon}</span>
        <span className="min-w-0 flex-1">
          <span className="block truncate font-mono text-xs leading-5">{name}</span>
          {words && <span className="block text-xs break-words text-muted-foreground">{words}</span>}
        </span>
        <span className="shrink-0 text-xs leading-5 text-muted-foreground">{aside}</span>
      </button>
    </li>
  );
}
