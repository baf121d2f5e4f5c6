// The dialog that makes a connection or edits one: type cards, then the form.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { catalogueQuery, type Connector, connectorOf } from "@/api/catalogue";
import type { Connection } from "@/api/connections";
import { ProblemState } from "@/components/problem-state";
import { Dialog } from "@/components/ui/dialog";
import { Skeleton, SkeletonPage } from "@/components/ui/states";
import { ConnectionForm } from "./connection-form";
import { TypeCards } from "./type-cards";

interface ConnectionDialogProps {
  /** The one that is edited; null for a new one. */
  connection: Connection | null;
  all: readonly Connection[];
  onClose: () => void;
}

export function ConnectionDialog({ connection, all, onClose }: ConnectionDialogProps) {
  const catalogue = useQuery(catalogueQuery);
  const connectors = catalogue.data?.connectors ?? [];
  const [chosen, setChosen] = useState<Connector | null>(null);
  const connector = connection ? connectorOf(connectors, connection.type) : chosen;
  const title = connection
    ? `Edit ${connection.name}`
    : chosen
      ? `New ${chosen.label} connection`
      : "New connection";
  const description = connector ? "It is tested before it is saved." : "What does it lead to?";
  return (
    <Dialog isOpen isModal onClose={onClose} title={title} description={description}>
      {catalogue.error ? (
        <ProblemState
          title="The types of connection could not be loaded."
          error={catalogue.error}
          onRetry={() => void catalogue.refetch()}
        />
      ) : connector ? (
        <ConnectionForm
          key={connector.name}
          connector={connector}
          connection={connection}
          others={all.filter(({ id }) => id !== connection?.id).map(({ name }) => name)}
          folders={[...new Set(all.flatMap(({ folder }) => folder ?? []))].sort()}
          onDone={onClose}
          onBack={connection ? null : () => setChosen(null)}
        />
      ) : catalogue.isPending ? (
        <SkeletonPage label="Loading types of connection">
          <Skeleton className="h-20 rounded-xl" />
          <Skeleton className="h-20 rounded-xl" />
        </SkeletonPage>
      ) : connection ? (
        <p>
          No executor answers to the type <code>{connection.type}</code> now: it can be changed once one does.
        </p>
      ) : (
        <TypeCards connectors={ordered(connectors)} onChoose={setChosen} />
      )}
    </Dialog>
  );
}

/** Databases first. */
function ordered(connectors: readonly Connector[]): Connector[] {
  const rank = ({ places }: Connector) => (places === "tables" ? 0 : 1);
  return [...connectors].sort(
    (one, other) => rank(one) - rank(other) || one.label.localeCompare(other.label),
  );
}
