// One figure, a link where there is a page behind it.
import { Link, type LinkProps } from "@tanstack/react-router";
import type { LucideIcon } from "lucide-react";
import { Card } from "@/components/ui/card";
import { Count } from "@/components/ui/values";

interface StatCardProps {
  icon: LucideIcon;
  label: string;
  value: number | string;
  /** In small letters below. */
  more?: string;
  link?: Pick<LinkProps, "to" | "search">;
}

export function StatCard({ icon: Icon, label, value, more, link }: StatCardProps) {
  const content = (
    <Card lifts={link !== undefined} className="flex h-full items-start gap-4 p-5">
      <span className="grid size-11 shrink-0 place-items-center rounded-xl bg-accent text-accent-foreground">
        <Icon aria-hidden className="size-5" />
      </span>
      <span className="min-w-0">
        <span className="block text-2xl font-semibold tracking-tight">
          {typeof value === "number" ? <Count value={value} /> : value}
        </span>
        <span className="block text-muted-foreground">{label}</span>
        {more && <span className="block truncate text-xs text-muted-foreground">{more}</span>}
      </span>
    </Card>
  );
  return link ? (
    <Link {...link} className="rounded-xl">
      {content}
    </Link>
  ) : (
    content
  );
}
