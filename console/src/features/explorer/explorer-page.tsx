// What lies behind connections: a tree of schemas and tables, and beside it what is known of one.
import { useInfiniteQuery, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Cable, TableProperties } from "lucide-react";
import { useDeferredValue, useRef } from "react";
import { connectionsQuery } from "@/api/connections";
import { lookQuery, schemasQuery, tableListQuery } from "@/api/discovery";
import { Page } from "@/components/page";
import { ProblemAlert } from "@/components/problem-state";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { SearchInput } from "@/components/ui/input";
import { EmptyState } from "@/components/ui/states";
import { useShortcuts } from "@/lib/keys";
import { type Branch, branchesOf } from "./branches";
import { ConnectionPanel } from "./connection-panel";
import { TablePanel } from "./table-panel";
import { Tree } from "./tree";

const route = getRouteApi("/app/explorer");

export function ExplorerPage() {
  const { data: connections } = useSuspenseQuery(connectionsQuery);
  return (
    <Page title="Explorer" lead="Schemas and tables behind the connections, as they were found.">
      {connections.length === 0 ? (
        <EmptyState
          icon={TableProperties}
          title="What lies behind a connection is seen here: add the first one."
          action={
            <Button asChild variant="primary">
              <Link to="/connections" search={{ new: true }}>
                <Cable aria-hidden /> New connection
              </Link>
            </Button>
          }
          link={<Link to="/files">Files that were uploaded</Link>}
        />
      ) : (
        <div className="grid gap-5 lg:grid-cols-[20rem_minmax(0,1fr)]">
          <Aside />
          <Shown />
        </div>
      )}
    </Page>
  );
}

function Aside() {
  const { data: connections } = useSuspenseQuery(connectionsQuery);
  const search = route.useSearch();
  const { q = "", connection, schema, table } = search;
  const navigate = route.useNavigate();
  const input = useRef<HTMLInputElement>(null);
  useShortcuts([{ keys: "/", label: "Search tables", run: () => input.current?.focus() }]);

  const asked = useDeferredValue(q.trim());
  const look = useQuery({ ...lookQuery(connection ?? ""), enabled: connection !== undefined });
  const foundAt = look.data?.found_at ?? "";
  const isFound = foundAt !== "";
  const schemas = useQuery({ ...schemasQuery(connection ?? "", foundAt), enabled: isFound });
  const which = { connection: connection ?? "", foundAt, search: asked, schema: asked ? "" : (schema ?? "") };
  const tables = useInfiniteQuery({
    ...tableListQuery(which),
    enabled: isFound && (asked !== "" || schema !== undefined),
  });
  const branches = branchesOf({
    connections,
    connection,
    schema,
    search: asked,
    schemas: schemas.data?.schemas ?? null,
    tables: tables.data?.pages.flatMap((page) => page.tables) ?? null,
    isFound: isFound || look.data === undefined,
  });

  const open = (branch: Branch) => {
    if (branch.kind === "connection") {
      const id = branch.id.slice(2);
      const next = id === connection && table === undefined ? {} : { connection: id };
      void navigate({ search: { ...(q && { q }), ...next } });
    } else if (branch.kind === "schema") {
      if (asked) return;
      void navigate({ search: { ...search, schema: branch.isOpen ? undefined : branch.label } });
    } else if (branch.kind === "table") {
      const { schema, name } = branch.table;
      void navigate({ search: { ...search, schema, table: name } });
    }
  };
  const onEnd = () => {
    if (tables.hasNextPage && !tables.isFetching) void tables.fetchNextPage();
  };
  return (
    <Card className="flex h-[22rem] flex-col overflow-hidden lg:sticky lg:top-20 lg:h-[calc(100vh-12rem)]">
      <div className="border-b border-border p-2">
        <SearchInput
          ref={input}
          label={connection ? "Search tables" : "Search tables of the open connection"}
          value={q}
          onChange={(text) =>
            void navigate({
              search: (before) => ({ ...before, q: text || undefined }),
              replace: true,
            })
          }
        />
      </div>
      <ProblemAlert
        title="The tree could not be loaded."
        error={look.error ?? schemas.error ?? tables.error}
      />
      <Tree
        branches={branches}
        shown={table ? `t ${schema ?? ""} ${table}` : connection ? `c ${connection}` : null}
        onOpen={open}
        onEnd={onEnd}
      />
    </Card>
  );
}

function Shown() {
  const { data: connections } = useSuspenseQuery(connectionsQuery);
  const { connection: id, schema, table } = route.useSearch();
  const connection = connections.find((one) => one.id === id);
  const [first] = connections;
  if (!connection)
    return (
      <EmptyState
        icon={TableProperties}
        title="Open a connection to see its schemas and tables."
        action={
          first && (
            <Button asChild variant="primary">
              <Link to="/explorer" search={{ connection: first.id }}>
                Open {first.name}
              </Link>
            </Button>
          )
        }
        link={<Link to="/connections">All connections</Link>}
      />
    );
  return (
    <div className="flex min-w-0 flex-col gap-5">
      <ConnectionPanel key={connection.id} connection={connection} isSmall={table !== undefined} />
      {schema !== undefined && table !== undefined && (
        <TablePanel key={`${schema} ${table}`} connection={connection} schema={schema} table={table} />
      )}
    </div>
  );
}
