// One connection: what it is, where it leads, how its last test went, and what can be done with it.
import { Pencil, Plug, Trash2 } from "lucide-react";
import { memo } from "react";
import type { Connection } from "@/api/connections";
import { useMay } from "@/api/me";
import { ThingMenu } from "@/components/thing-menu";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { MenuItem } from "@/components/ui/menu";
import { StatusBadge } from "@/components/ui/status-badge";
import { Tooltip } from "@/components/ui/tooltip";
import { Time } from "@/components/ui/values";
import { written } from "./as-text";
import { placeOf, setting, statusOf, toneOf } from "./model";
import { TypeIcon } from "@/components/type-icon";

export type CardAct = "edit" | "delete" | "test";

interface ConnectionCardProps {
  connection: Connection;
  /** What its connector is called. */
  typeLabel: string;
  isTesting: boolean;
  onAct: (act: CardAct, connection: Connection) => void;
}

const DIRECTIONS = { source: "Source", destination: "Destination", both: "Source and destination" };

export const ConnectionCard = memo(function ConnectionCard({
  connection,
  typeLabel,
  isTesting,
  onAct,
}: ConnectionCardProps) {
  const [mayEdit, mayDelete] = [useMay("edit"), useMay("delete")];
  const act = (what: CardAct) => () => onAct(what, connection);
  const { name, type, folder } = connection;
  const rows = [
    [setting(connection, "host") ? "Host" : "Location", placeOf(connection)],
    ["Database", setting(connection, "database")],
    ["Username", setting(connection, "username")],
    ["Access key", setting(connection, "access_key")],
  ].filter(([, value]) => value !== "");
  return (
    <Card lifts className="flex h-full min-h-56 flex-col" data-card>
      <div className="flex items-start gap-3 p-5 pb-3">
        <span className="grid size-10 shrink-0 place-items-center rounded-xl bg-accent text-accent-foreground">
          <TypeIcon type={type} className="size-5" />
        </span>
        <div className="min-w-0 flex-1">
          <h2 className="truncate text-base font-semibold" title={name}>
            {mayEdit.allowed ? (
              <button
                type="button"
                onClick={act("edit")}
                className="max-w-full truncate rounded hover:text-link"
              >
                {name}
              </button>
            ) : (
              name
            )}
          </h2>
          <div className="mt-1 flex flex-wrap gap-1.5">
            <Badge tone={toneOf(type)}>{typeLabel}</Badge>
            {connection.direction !== "both" && <Badge>{DIRECTIONS[connection.direction]}</Badge>}
            {folder && <Badge>{folder}</Badge>}
          </div>
        </div>
        <ThingMenu name={name} written={written(connection)}>
          <MenuItem icon={Plug} onSelect={act("test")} refusal={mayEdit.reason}>
            Test now
          </MenuItem>
        </ThingMenu>
      </div>
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1 px-5 pb-4">
        {rows.map(([label, value]) => (
          <div key={label} className="contents">
            <dt className="text-muted-foreground">{label}</dt>
            <dd className="truncate font-mono text-[13px]" title={value}>
              {value}
            </dd>
          </div>
        ))}
      </dl>
      <div className="mt-auto flex items-center gap-2 border-t border-border px-5 py-2.5">
        <TestState connection={connection} isTesting={isTesting} />
        <span className="-mr-2 ml-auto flex">
          <Tooltip text={mayEdit.reason ?? "Edit"}>
            <Button
              variant="ghost"
              size="icon"
              aria-label={`Edit ${name}`}
              aria-disabled={!mayEdit.allowed}
              onClick={mayEdit.allowed ? act("edit") : undefined}
            >
              <Pencil aria-hidden />
            </Button>
          </Tooltip>
          <Tooltip text={mayDelete.reason ?? "Delete"}>
            <Button
              variant="ghost"
              size="icon"
              className="text-danger"
              aria-label={`Delete ${name}`}
              aria-disabled={!mayDelete.allowed}
              onClick={mayDelete.allowed ? act("delete") : undefined}
            >
              <Trash2 aria-hidden />
            </Button>
          </Tooltip>
        </span>
      </div>
    </Card>
  );
});

const WORDS = { success: "Connected", failed: "Failed", untested: "Not tested" };

function TestState({ connection, isTesting }: { connection: Connection; isTesting: boolean }) {
  if (isTesting) return <StatusBadge status="running" word="Testing…" />;
  const status = statusOf(connection);
  const said = status === "success" ? connection.last_test_version : connection.last_test_message;
  const badge = <StatusBadge status={status} word={WORDS[status]} />;
  return (
    <>
      {said ? (
        <Tooltip text={said}>
          <button type="button" className="rounded-full" aria-label={`${WORDS[status]}: ${said}`}>
            {badge}
          </button>
        </Tooltip>
      ) : (
        badge
      )}
      <span className="min-w-0 truncate text-xs text-muted-foreground">
        {connection.last_tested_at && <Time at={connection.last_tested_at} />}
      </span>
    </>
  );
}
