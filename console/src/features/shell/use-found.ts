// What the palette finds: entries of its own at once, things of the service a moment later.
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Cable } from "lucide-react";
import { useDeferredValue } from "react";
import { connectionSearchQuery } from "@/api/connections";
import type { Entry } from "./palette";

export function useFound(text: string, entries: readonly Entry[]): Entry[] {
  const navigate = useNavigate();
  const search = useDeferredValue(text.trim());
  const isAsked = search.length >= 2;
  const connections = useQuery({ ...connectionSearchQuery(search), enabled: isAsked });
  const words = text.toLowerCase().split(/\s+/);
  const own = entries.filter((entry) => {
    const said = `${entry.label} ${entry.words ?? ""} ${entry.group}`.toLowerCase();
    return words.every((word) => said.includes(word));
  });
  const things = (isAsked ? (connections.data ?? []) : []).map((connection): Entry => ({
    id: connection.id,
    group: "Connections",
    label: connection.name,
    icon: Cable,
    run: () => void navigate({ to: "/connections", search: { edit: connection.id } }),
  }));
  return [...own, ...things];
}
