// What was changed in the organization: found by words, opened one by one, taken out as a file.
import { useQuery, useSuspenseInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Download } from "lucide-react";
import { useRef, useState } from "react";
import { useOrganization } from "@/api/me";
import { membersQuery } from "@/api/members";
import { auditQuery } from "@/api/organizations";
import type { Schemas } from "@/api/types";
import { ShowMore } from "@/components/show-more";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card, Section } from "@/components/ui/card";
import { type Column, DataTable } from "@/components/ui/data-table";
import { SearchInput } from "@/components/ui/input";
import { Time } from "@/components/ui/values";
import { useShortcuts } from "@/lib/keys";
import { saveFile } from "@/lib/save-file";
import { z } from "@/lib/z";
import { AuditDrawer } from "./audit-drawer";

type Entry = Schemas["AuditEntry"];

const named = z.object({ name: z.string() });
const route = getRouteApi("/app/settings");

export function AuditTab() {
  const { id } = useOrganization();
  const { q = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const log = useSuspenseInfiniteQuery(auditQuery(id));
  const { data: members = [] } = useQuery(membersQuery(id));
  const [opened, setOpened] = useState<Entry | null>(null);
  const input = useRef<HTMLInputElement>(null);
  useShortcuts([{ keys: "/", label: "Filter", run: () => input.current?.focus() }]);

  const nameOf = (entry: Entry) => {
    const found = members.find(({ person }) => person === entry.person)?.name ?? entry.person ?? "nobody";
    return entry.api_key ? `${found} (by API key)` : found;
  };
  const words = q.toLowerCase().split(/\s+/);
  const all = log.data.pages.flat();
  const shown = all.filter((entry) => {
    const said =
      `${entry.action} ${nameOf(entry)} ${entry.subject} ${subjectOf(entry) ?? ""} ${entry.address}`.toLowerCase();
    return words.every((word) => said.includes(word));
  });
  const columns: readonly Column<Entry>[] = [
    { id: "at", header: "When", cell: ({ at }) => <Time at={at} /> },
    { id: "action", header: "What", cell: ({ action }) => <Badge>{action}</Badge> },
    { id: "person", header: "Who", cell: (entry) => <span className="font-medium">{nameOf(entry)}</span> },
    {
      id: "subject",
      header: "To what",
      cell: (entry) => {
        const name = subjectOf(entry);
        return (
          <span title={entry.subject}>
            {name && <span className="mr-2">{name}</span>}
            <code className="font-mono text-xs text-muted-foreground">
              {name ? `${entry.subject.slice(0, 13)}…` : entry.subject}
            </code>
          </span>
        );
      },
    },
    {
      id: "address",
      header: "From",
      cell: ({ address }) => <code className="font-mono text-xs">{address}</code>,
    },
  ];
  return (
    <Section
      title="Audit log"
      aside={
        <div className="flex gap-2">
          <SearchInput
            ref={input}
            label="Filter what is loaded"
            value={q}
            onChange={(q) =>
              void navigate({ search: (before) => ({ ...before, q: q || undefined }), replace: true })
            }
            className="w-64"
          />
          <Button onClick={() => saveFile("audit.json", JSON.stringify(shown, null, 2))}>
            <Download aria-hidden /> Export
          </Button>
        </div>
      }
    >
      {shown.length === 0 ? (
        <Card className="px-4 py-10 text-center text-muted-foreground">Nothing is like this.</Card>
      ) : (
        <DataTable
          label="Audit log"
          rows={shown}
          columns={columns}
          rowId={({ id }) => id}
          onOpen={setOpened}
        />
      )}
      <ShowMore pages={log}>Older ones</ShowMore>
      {opened && <AuditDrawer entry={opened} who={nameOf(opened)} onClose={() => setOpened(null)} />}
    </Section>
  );
}

/** What the thing is called, or was, where it says so. */
function subjectOf({ after, before }: Entry): string | null {
  const told = named.safeParse(after ?? before);
  return told.success ? told.data.name : null;
}
