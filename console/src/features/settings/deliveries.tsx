// What is and was on its way to destinations; what was not taken can be sent again.
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { RotateCw } from "lucide-react";
import { deliveriesQuery, useRedeliver } from "@/api/alerts";
import { useMay } from "@/api/me";
import type { Schemas } from "@/api/types";
import { ProblemAlert, ProblemState } from "@/components/problem-state";
import { ShowMore } from "@/components/show-more";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card, Section } from "@/components/ui/card";
import { type Column, DataTable } from "@/components/ui/data-table";
import { Select } from "@/components/ui/select";
import { Skeleton } from "@/components/ui/states";
import { StatusBadge } from "@/components/ui/status-badge";
import { Time } from "@/components/ui/values";

const route = getRouteApi("/app/settings");

const STATES = [
  { value: "", label: "Any state" },
  { value: "waiting", label: "Waiting" },
  { value: "delivered", label: "Delivered" },
  { value: "given_up", label: "Given up" },
] as const;

export function Deliveries({ destinations }: { destinations: Schemas["DestinationItem"][] }) {
  const { state } = route.useSearch();
  const navigate = route.useNavigate();
  const may = useMay("change alerts");
  const again = useRedeliver();
  const found = useInfiniteQuery(deliveriesQuery(state));
  const rows = found.data?.pages.flatMap(({ deliveries }) => deliveries) ?? [];
  const nameOf = (id: string) => destinations.find((destination) => destination.id === id)?.name ?? id;
  const columns: readonly Column<Schemas["DeliveryItem"]>[] = [
    { id: "at", header: "When", cell: ({ created_at }) => <Time at={created_at} /> },
    { id: "event", header: "Event", cell: ({ event }) => <Badge>{event}</Badge> },
    {
      id: "to",
      header: "To",
      cell: ({ destination }) => <span className="font-medium">{nameOf(destination)}</span>,
    },
    { id: "state", header: "State", cell: ({ state }) => <StatusBadge status={state} /> },
    { id: "tries", header: "Tries", align: "right", cell: ({ tries }) => tries },
    {
      id: "answer",
      header: "Last answer",
      cell: ({ status, answer }) => (
        <span className="line-clamp-1 max-w-md break-all" title={answer ?? undefined}>
          {[status, answer]
            .filter((part) => part !== null && part !== undefined && part !== "")
            .join(" · ") || "–"}
        </span>
      ),
    },
    {
      id: "acts",
      header: "",
      align: "right",
      cell: ({ id, event }) => (
        <Button
          variant="ghost"
          size="icon"
          aria-label={`Send ${event} again`}
          refusal={may.reason}
          isBusy={again.isPending && again.variables === id}
          onClick={() => again.mutate(id)}
        >
          <RotateCw aria-hidden />
        </Button>
      ),
    },
  ];
  const filter = (
    <Select
      label="State"
      value={state ?? ""}
      choices={STATES}
      onChange={(state) => void navigate({ search: (before) => ({ ...before, state: state || undefined }) })}
    />
  );
  return (
    <Section title="Deliveries" aside={filter}>
      <ProblemAlert title="It could not be sent again." error={again.error} />
      {found.error ? (
        <ProblemState
          title="The deliveries could not be loaded."
          error={found.error}
          onRetry={() => void found.refetch()}
        />
      ) : found.isPending ? (
        <Skeleton className="h-32 rounded-xl" />
      ) : rows.length === 0 ? (
        <Card className="px-4 py-10 text-center text-muted-foreground">Nothing was sent.</Card>
      ) : (
        <DataTable label="Deliveries" rows={rows} columns={columns} rowId={({ id }) => id} />
      )}
      <ShowMore pages={found}>Older ones</ShowMore>
    </Section>
  );
}
