// Where the organization's systems are: cards, what they can be found by, and the dialogs about them.
import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Cable, Download, Ellipsis, Plug, Plus, SearchX, Upload } from "lucide-react";
import { lazy, Suspense, useCallback, useDeferredValue, useState } from "react";
import { catalogueQuery, connectorOf } from "@/api/catalogue";
import { type Connection, connectionsQuery } from "@/api/connections";
import { useMay } from "@/api/me";
import { Page } from "@/components/page";
import { Button } from "@/components/ui/button";
import { Menu, MenuItem, openMenuIn } from "@/components/ui/menu";
import { EmptyState } from "@/components/ui/states";
import { VirtualGrid } from "@/components/ui/virtual";
import { plural } from "@/lib/format";
import { useShortcuts } from "@/lib/keys";
import { type CardAct, ConnectionCard } from "./connection-card";
import { DeleteDialog } from "./delete-dialog";
import { filtered } from "./model";
import { Toolbar } from "./toolbar";
import { ExportDialog, ImportDialog } from "./transfer-dialogs";
import { useBulkTest } from "./use-bulk-test";

const route = getRouteApi("/app/connections");

// Its form comes when it is opened first.
const ConnectionDialog = lazy(() =>
  import("./connection-dialog").then(({ ConnectionDialog }) => ({ default: ConnectionDialog })),
);

type Open = { what: "delete"; connection: Connection } | { what: "import" | "export" } | null;

export function ConnectionsPage() {
  const { data: connections } = useSuspenseQuery(connectionsQuery);
  const { data: catalogue } = useQuery(catalogueQuery);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const may = useMay("edit");
  const bulk = useBulkTest();
  const [open, setOpen] = useState<Open>(null);
  const filter = useDeferredValue(search);
  const shown = filtered(connections, filter);
  const edited = connections.find(({ id }) => id === search.edit) ?? null;

  const show = useCallback(
    (dialog: { new?: true; edit?: string }) =>
      void navigate({ search: (before) => ({ ...before, new: undefined, edit: undefined, ...dialog }) }),
    [navigate],
  );
  const close = () => setOpen(null);
  const typeLabel = (type: string) => connectorOf(catalogue?.connectors ?? [], type)?.label ?? type;
  const { one: test } = bulk;
  // The same each time, so that a card is drawn anew only where something about it changes.
  const act = useCallback(
    (what: CardAct, connection: Connection) => {
      if (what === "edit") show({ edit: connection.id });
      else if (what === "test") void test(connection);
      else setOpen({ what, connection });
    },
    [show, test],
  );
  const walk = (by: number) => {
    const cards = [...document.querySelectorAll<HTMLElement>("[data-card] h2 button")];
    const at = cards.findIndex((card) => card === document.activeElement);
    cards[Math.max(0, Math.min(cards.length - 1, at + by))]?.focus();
  };
  useShortcuts([
    ...(may.allowed ? [{ keys: "n", label: "New connection", run: () => show({ new: true }) }] : []),
    { keys: "j", label: "Next card", run: () => walk(1) },
    { keys: "k", label: "Card before", run: () => walk(-1) },
    {
      keys: ".",
      label: "Actions of the card",
      run: () => openMenuIn(document.activeElement?.closest("[data-card]")),
    },
  ]);

  const newButton = (
    <Button variant="primary" refusal={may.reason} onClick={() => show({ new: true })}>
      <Plus aria-hidden /> New connection
    </Button>
  );
  const isEmpty = connections.length === 0;
  const actions = (
    <>
      <p role="status" className="text-muted-foreground">
        {bulk.progress && `Tested ${bulk.progress.done} of ${bulk.progress.all}`}
      </p>
      {!isEmpty && (
        <Button
          refusal={may.reason}
          isBusy={bulk.progress !== null}
          disabled={shown.length === 0}
          onClick={() => void bulk.all(shown)}
        >
          {bulk.progress === null && <Plug aria-hidden />}{" "}
          {shown.length < connections.length ? "Test shown" : "Test all"}
        </Button>
      )}
      <Menu
        trigger={
          <Button size="icon" className="size-9" aria-label="More">
            <Ellipsis aria-hidden />
          </Button>
        }
      >
        <MenuItem icon={Upload} refusal={may.reason} onSelect={() => setOpen({ what: "import" })}>
          Import
        </MenuItem>
        <MenuItem icon={Download} onSelect={() => setOpen({ what: "export" })}>
          Export
        </MenuItem>
      </Menu>
      {!isEmpty && newButton}
    </>
  );
  return (
    <Page
      title="Connections"
      lead={isEmpty ? "Where your systems are." : lead(shown.length, connections.length)}
      actions={actions}
    >
      {isEmpty ? (
        <EmptyState
          icon={Cable}
          title="A connection leads to a database or to files: add the first one to read from it or write to it."
          action={newButton}
          link={
            <button type="button" className="h-6 hover:underline" onClick={() => setOpen({ what: "import" })}>
              Import connections from a file
            </button>
          }
        />
      ) : (
        <>
          <Toolbar connections={connections} typeLabel={typeLabel} />
          {shown.length === 0 ? (
            <EmptyState
              icon={SearchX}
              title="No connection is like this."
              action={<Button onClick={() => void navigate({ search: {} })}>Clear filters</Button>}
            />
          ) : (
            <VirtualGrid
              label="Connections"
              items={shown}
              itemId={({ id }) => id}
              minColumnPx={300}
              itemPx={228}
              draw={(connection) => (
                <ConnectionCard
                  connection={connection}
                  typeLabel={typeLabel(connection.type)}
                  isTesting={bulk.testing.has(connection.id)}
                  onAct={act}
                />
              )}
            />
          )}
        </>
      )}
      {(search.new || edited) && (
        <Suspense>
          <ConnectionDialog connection={edited} all={connections} onClose={() => show({})} />
        </Suspense>
      )}
      {open?.what === "delete" && <DeleteDialog connection={open.connection} onClose={close} />}
      {open?.what === "import" && <ImportDialog onClose={close} />}
      {open?.what === "export" && <ExportDialog onClose={close} />}
    </Page>
  );
}

function lead(shown: number, all: number): string {
  return shown === all ? plural(all, "connection") : `${shown} of ${plural(all, "connection")}`;
}
