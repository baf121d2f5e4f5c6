// Who is told when something goes wrong, and what they were told.
import { useSuspenseQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { BellRing, Mail, MessageSquare, Pencil, Plus, Send, Trash2, Webhook } from "lucide-react";
import { useState } from "react";
import { destinationsQuery, useDeleteDestination, useTestDestination } from "@/api/alerts";
import { useMay } from "@/api/me";
import type { Schemas } from "@/api/types";
import { ProblemAlert } from "@/components/problem-state";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Section } from "@/components/ui/card";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { type Column, DataTable } from "@/components/ui/data-table";
import { EmptyState } from "@/components/ui/states";
import { toast } from "@/components/ui/toast";
import { Deliveries } from "./deliveries";
import { DestinationDialog } from "./destination-dialog";

type Destination = Schemas["DestinationItem"];

const ICONS = { webhook: Webhook, slack: MessageSquare, email: Mail };

export function AlertsTab() {
  const { data: destinations } = useSuspenseQuery(destinationsQuery);
  const may = useMay("change alerts");
  const test = useTestDestination();
  const [edited, setEdited] = useState<Destination | "new" | null>(null);
  const [removed, setRemoved] = useState<Destination | null>(null);
  const add = (
    <Button variant="primary" refusal={may.reason} onClick={() => setEdited("new")}>
      <Plus aria-hidden /> New destination
    </Button>
  );
  const send = ({ id, name }: Destination) =>
    test.mutate(id, {
      onSuccess: ({ state, answer }) =>
        state === "delivered"
          ? toast("success", `${name} took the test.`)
          : toast("danger", `${name} did not take the test${answer ? `: ${answer}` : "."}`),
    });
  const columns: readonly Column<Destination>[] = [
    {
      id: "name",
      header: "Name",
      cell: ({ name, kind }) => {
        const Icon = ICONS[kind];
        return (
          <span className="flex items-center gap-2 font-medium">
            <Icon role="img" aria-label={kind} className="size-4 text-link" /> {name}
          </span>
        );
      },
    },
    { id: "to", header: "To", cell: ({ host, addresses }) => host ?? addresses.join(", ") },
    {
      id: "events",
      header: "Told of every pipeline",
      cell: ({ events }) => (
        <span className="flex flex-wrap gap-1">
          {events.length === 0 && (
            <span className="text-muted-foreground">only where a pipeline names it</span>
          )}
          {events.map((event) => (
            <Badge key={event}>{event}</Badge>
          ))}
        </span>
      ),
    },
    {
      id: "acts",
      header: "",
      align: "right",
      className: "whitespace-nowrap",
      cell: (destination) =>
        may.allowed && (
          <>
            <Button
              variant="ghost"
              size="sm"
              isBusy={test.isPending && test.variables === destination.id}
              onClick={() => send(destination)}
            >
              <Send aria-hidden /> Test
            </Button>
            <Button
              variant="ghost"
              size="icon"
              aria-label={`Edit ${destination.name}`}
              onClick={() => setEdited(destination)}
            >
              <Pencil aria-hidden />
            </Button>
            <Button
              variant="ghost"
              size="icon"
              className="text-danger"
              aria-label={`Delete ${destination.name}`}
              onClick={() => setRemoved(destination)}
            >
              <Trash2 aria-hidden />
            </Button>
          </>
        ),
    },
  ];
  return (
    <div className="flex flex-col gap-8">
      <Section title="Destinations" aside={destinations.length > 0 && add}>
        <ProblemAlert title="The test could not be sent." error={test.error} />
        {destinations.length === 0 ? (
          <EmptyState
            icon={BellRing}
            title="Nobody is told when a pipeline fails: add a webhook, Slack or mail."
            action={add}
            link={
              <Link to="/runs" search={{ status: "failed" }}>
                Runs that have failed
              </Link>
            }
          />
        ) : (
          <DataTable label="Destinations" rows={destinations} columns={columns} rowId={({ id }) => id} />
        )}
      </Section>
      {destinations.length > 0 && <Deliveries destinations={destinations} />}
      {edited && (
        <DestinationDialog destination={edited === "new" ? null : edited} onClose={() => setEdited(null)} />
      )}
      {removed && <RemoveDialog destination={removed} onClose={() => setRemoved(null)} />}
    </div>
  );
}

function RemoveDialog({ destination, onClose }: { destination: Destination; onClose: () => void }) {
  const remove = useDeleteDestination();
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title={`Delete destination ${destination.name}?`}
      action="Delete"
      onConfirm={() => remove.mutate(destination.id, { onSuccess: onClose })}
      isBusy={remove.isPending}
      error={<ProblemAlert title={`${destination.name} stays.`} error={remove.error} />}
    >
      <p>It hears of nothing any more; pipelines that name it tell nobody in its place.</p>
    </ConfirmDialog>
  );
}
