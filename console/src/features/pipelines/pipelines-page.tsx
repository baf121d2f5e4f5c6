// All pipelines: how they stand, when they ran and run next, whether what they made is still fresh.
import { useSuspenseInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { Plus, Workflow } from "lucide-react";
import { useDeferredValue, useRef } from "react";
import { useMay } from "@/api/me";
import { pipelineListQuery } from "@/api/pipeline-list";
import { Page } from "@/components/page";
import { ShowMore } from "@/components/show-more";
import { Button } from "@/components/ui/button";
import { DataTable } from "@/components/ui/data-table";
import { SearchInput } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { EmptyState } from "@/components/ui/states";
import { useShortcuts } from "@/lib/keys";
import { columns } from "./columns";
import { NewDialog } from "./new-dialog";

const route = getRouteApi("/app/pipelines");
const STATUSES = [
  { value: "", label: "Every status" },
  { value: "active", label: "Active" },
  { value: "paused", label: "Paused" },
  { value: "draft", label: "Draft" },
  { value: "error", label: "Error" },
] as const;

export function PipelinesPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const go = useNavigate();
  const edit = useMay("edit");
  const box = useRef<HTMLInputElement>(null);
  // Until the answer comes, what was found before stays.
  const q = useDeferredValue(search.q);
  const status = useDeferredValue(search.status);
  const list = useSuspenseInfiniteQuery(pipelineListQuery({ search: q, status }));
  const { data } = list;
  const rows = data.pages.flatMap(({ pipelines }) => pipelines);
  const isFiltered = q !== undefined || status !== undefined;
  const isEmpty = rows.length === 0 && !isFiltered && search.q === undefined && search.status === undefined;
  const put = (next: { [Key in keyof typeof search]?: (typeof search)[Key] | undefined }) =>
    void navigate({ search: (before) => ({ ...before, ...next }), replace: true });
  useShortcuts([
    { keys: "/", label: "Filter", run: () => box.current?.focus() },
    ...(edit.allowed ? [{ keys: "n", label: "New pipeline", run: () => put({ new: true }) }] : []),
  ]);
  const create = (
    <Button variant="primary" refusal={edit.reason} onClick={() => put({ new: true })}>
      <Plus aria-hidden /> New pipeline
    </Button>
  );
  return (
    <Page title="Pipelines" lead="What is moved and shaped, and when." actions={!isEmpty && create}>
      {!isEmpty && (
        <div className="flex flex-wrap items-center gap-2">
          <SearchInput
            ref={box}
            label="Search pipelines"
            value={search.q ?? ""}
            onChange={(q) => put({ q: q || undefined })}
            className="w-full max-w-sm"
          />
          <Select
            label="Status"
            value={search.status ?? ""}
            choices={STATUSES}
            onChange={(status) => put({ status: status || undefined })}
          />
        </div>
      )}
      {isEmpty && (
        <EmptyState
          icon={Workflow}
          title="A pipeline reads from your systems, shapes what it read, and writes it where it is needed."
          action={create}
          link={<Link to="/connections">First connect the systems</Link>}
        />
      )}
      {rows.length === 0 && isFiltered && (
        <EmptyState
          icon={Workflow}
          title="No pipeline is like that."
          action={<Button onClick={() => put({ q: undefined, status: undefined })}>Show all</Button>}
        />
      )}
      {rows.length > 0 && (
        <DataTable
          label="Pipelines"
          rows={rows}
          columns={columns}
          rowId={({ id }) => id}
          sort={search.sort}
          onSort={(sort) => put({ sort })}
          onOpen={({ id }) => void go({ to: "/pipelines/$pipeline", params: { pipeline: id } })}
        />
      )}
      <ShowMore pages={list} />
      {search.new && <NewDialog onClose={() => put({ new: undefined })} />}
    </Page>
  );
}
