// What somebody should look at, the worst first, each with one thing to do.
import { Link, type LinkProps } from "@tanstack/react-router";
import { Cable, CircleCheck, CircleX, Lock, type LucideIcon, TriangleAlert } from "lucide-react";
import type { Schemas } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Time } from "@/components/ui/values";
import { Words } from "@/components/words";

type Item = Schemas["Attention"];

interface Kind {
  icon: LucideIcon;
  word: string;
  colour: string;
}

const KINDS: Record<string, Kind> = {
  failed: { icon: CircleX, word: "failed", colour: "text-danger" },
  stalled: { icon: TriangleAlert, word: "stands still", colour: "text-warning" },
  stale: { icon: TriangleAlert, word: "is stale", colour: "text-warning" },
  waiting: { icon: Lock, word: "waits for the vault", colour: "text-warning" },
  connection_failing: { icon: Cable, word: "does not answer", colour: "text-danger" },
};

export function Attention({ items }: { items: Item[] }) {
  if (items.length === 0) {
    return (
      <Card className="flex h-28 items-center justify-center gap-3 text-muted-foreground xl:h-64">
        <CircleCheck aria-hidden className="size-5 text-success" /> All is well.
      </Card>
    );
  }
  return (
    <Card className="max-h-64 overflow-y-auto xl:h-64">
      <ul>
        {items.map((item) => (
          <Row key={`${item.kind} ${item.id}`} item={item} />
        ))}
      </ul>
    </Card>
  );
}

function Row({ item }: { item: Item }) {
  const {
    icon: Icon,
    word,
    colour,
  } = KINDS[item.kind] ?? {
    icon: TriangleAlert,
    word: item.kind.replaceAll("_", " "),
    colour: "text-warning",
  };
  const act = actOf(item);
  return (
    <li className="flex items-start gap-3 border-b border-border px-4 py-3 last:border-0">
      <Icon aria-hidden className={`mt-0.5 size-4 shrink-0 ${colour}`} />
      <div className="min-w-0 flex-1">
        <p className="font-medium">
          {item.name} <span className="font-normal">{word}</span>
        </p>
        {item.message && (
          <p className="line-clamp-2 text-muted-foreground" title={item.message}>
            <Words text={item.message} />
          </p>
        )}
        {item.at && (
          <p className="text-xs text-muted-foreground">
            <Time at={item.at} />
          </p>
        )}
      </div>
      {act && (
        <Button asChild size="sm">
          <Link {...act.link} aria-label={`${act.label}: ${item.name}`}>
            {act.label}
          </Link>
        </Button>
      )}
    </li>
  );
}

function actOf({
  kind,
  id,
  run_id,
}: Item): { label: string; link: Pick<LinkProps, "to" | "search" | "params"> } | null {
  if (kind === "connection_failing")
    return { label: "Edit", link: { to: "/connections", search: { edit: id } } };
  if (kind === "waiting") return { label: "Unlock", link: { to: "/unlock" } };
  return run_id ? { label: "Open run", link: { to: "/runs/$run", params: { run: run_id } } } : null;
}
