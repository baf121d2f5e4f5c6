// The installation as a whole, for who runs it: its version and health, its organizations, copies of its database.
import { useSuspenseQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { executorsQuery } from "@/api/executors";
import { healthQuery } from "@/api/health";
import { organizationsQuery } from "@/api/organizations";
import type { Schemas } from "@/api/types";
import { Card, Section } from "@/components/ui/card";
import { CopyButton } from "@/components/ui/copy-button";
import { type Column, DataTable } from "@/components/ui/data-table";
import { StatusBadge } from "@/components/ui/status-badge";
import { Time } from "@/components/ui/values";
import { plural } from "@/lib/format";
import { Backups } from "./backups";

type Organization = Schemas["Organization"];

const columns: readonly Column<Organization>[] = [
  { id: "name", header: "Name", cell: ({ name }) => <span className="font-medium">{name}</span> },
  { id: "slug", header: "Slug", cell: ({ slug }) => <code className="font-mono text-xs">{slug}</code> },
  { id: "made", header: "Made", cell: ({ created_at }) => <Time at={created_at} /> },
  {
    id: "limit",
    header: "Runs at once",
    className: "max-sm:hidden",
    cell: ({ runs_at_once }) => runs_at_once ?? <span className="text-muted-foreground">no limit</span>,
  },
  {
    id: "id",
    header: "Id",
    align: "right",
    cell: ({ id, name }) => <CopyButton text={id} label={`Copy the id of ${name}`} />,
  },
];

export function InstanceTab() {
  const { data: found } = useSuspenseQuery(organizationsQuery);
  const organizations = found.map(({ organization }) => organization);
  return (
    <div className="flex flex-col gap-8">
      <Section title="Health">
        <Health />
      </Section>
      <Section title={`Organizations (${organizations.length})`}>
        <DataTable label="Organizations" rows={organizations} columns={columns} rowId={({ id }) => id} />
      </Section>
      <Backups />
    </div>
  );
}

function Health() {
  const { data: health } = useSuspenseQuery(healthQuery);
  const { data: executors } = useSuspenseQuery(executorsQuery);
  return (
    <Card>
      <dl className="grid gap-x-8 gap-y-4 p-5 sm:grid-cols-2 xl:grid-cols-4">
        <Fact term="Version">{health.version}</Fact>
        <Fact term="Coordinator">
          <StatusBadge status="active" word={health.role === "leader" ? "Leads" : "Stands by"} />
        </Fact>
        <Fact term="Executors">
          <Link to="/executors" className="text-link underline-offset-4 hover:underline">
            {plural(executors.length, "executor")}
          </Link>
        </Fact>
        <Fact term="API">
          <a href="/docs" className="text-link underline-offset-4 hover:underline">
            Every call
          </a>
        </Fact>
      </dl>
    </Card>
  );
}

function Fact({ term, children }: { term: string; children: ReactNode }) {
  return (
    <div>
      <dt className="text-xs text-muted-foreground">{term}</dt>
      <dd className="mt-1 font-medium">{children}</dd>
    </div>
  );
}
