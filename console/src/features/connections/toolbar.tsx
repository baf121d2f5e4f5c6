// Search, filters and order of the connections; all of it stands in the address.
import { getRouteApi } from "@tanstack/react-router";
import { useRef } from "react";
import type { Connection } from "@/api/connections";
import { Button } from "@/components/ui/button";
import { SearchInput } from "@/components/ui/input";
import { type Choice, Select } from "@/components/ui/select";
import { useShortcuts } from "@/lib/keys";

const route = getRouteApi("/app/connections");

const DIRECTIONS = [
  { value: "", label: "Any direction" },
  { value: "source", label: "Source" },
  { value: "destination", label: "Destination" },
  { value: "both", label: "Both" },
] as const;
const STATUSES = [
  { value: "", label: "Any status" },
  { value: "success", label: "Connected" },
  { value: "failed", label: "Failed" },
  { value: "untested", label: "Not tested" },
] as const;
const ORDERS = [
  { value: "name", label: "By name" },
  { value: "tested", label: "Last tested" },
  { value: "updated", label: "Last changed" },
] as const;
/** Of no folder; a folder is never called so, since its ends have no slash. */
const NO_FOLDER = "/";

interface ToolbarProps {
  connections: readonly Connection[];
  typeLabel: (type: string) => string;
}

export function Toolbar({ connections, typeLabel }: ToolbarProps) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const input = useRef<HTMLInputElement>(null);
  const set = (change: Partial<typeof search>) =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
  useShortcuts([{ keys: "/", label: "Filter", run: () => input.current?.focus() }]);

  const types = [...new Set(connections.map(({ type }) => type))].sort();
  const folders = [...new Set(connections.flatMap(({ folder }) => folder ?? []))].sort();
  const isFiltered = [search.q, search.type, search.direction, search.status, search.folder].some(
    (value) => value !== undefined,
  );
  const folderChoices: Choice[] = [
    { value: "", label: "Any folder" },
    { value: NO_FOLDER, label: "In no folder" },
    ...folders.map((folder) => ({ value: folder, label: folder })),
  ];
  return (
    <div role="search" aria-label="Connections" className="flex flex-wrap items-center gap-2">
      <SearchInput
        ref={input}
        label="Search connections"
        value={search.q ?? ""}
        onChange={(q) => set({ q: q || undefined })}
        className="w-full sm:w-72"
      />
      <Select
        label="Type"
        value={search.type ?? ""}
        onChange={(type) => set({ type: type || undefined })}
        choices={[
          { value: "", label: "Any type" },
          ...types.map((type) => ({ value: type, label: typeLabel(type) })),
        ]}
      />
      <Select
        label="Direction"
        value={search.direction ?? ""}
        onChange={(direction) => set({ direction: direction || undefined })}
        choices={DIRECTIONS}
      />
      <Select
        label="Status"
        value={search.status ?? ""}
        onChange={(status) => set({ status: status || undefined })}
        choices={STATUSES}
      />
      {folders.length > 0 && (
        <Select
          label="Folder"
          value={search.folder === "" ? NO_FOLDER : (search.folder ?? "")}
          onChange={(folder) => set({ folder: folder === NO_FOLDER ? "" : folder || undefined })}
          choices={folderChoices}
        />
      )}
      <Select
        label="Order"
        value={search.sort ?? "name"}
        onChange={(sort) => set({ sort: sort === "name" ? undefined : sort })}
        choices={ORDERS}
      />
      {isFiltered && (
        <Button variant="ghost" onClick={() => void navigate({ search: {}, replace: true })}>
          Clear filters
        </Button>
      )}
    </div>
  );
}
