// Which runs are listed: states with their numbers, pipeline, what began them, text in errors.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { pipelineSearchQuery } from "@/api/pipelines";
import { surveyQuery } from "@/api/runs";
import { Combobox } from "@/components/ui/combobox";
import { SearchInput } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { statusWord } from "@/components/ui/status-badge";
import { cn } from "@/lib/cn";
import { useShortcuts } from "@/lib/keys";
import { TRIGGERS } from "./trigger";

const route = getRouteApi("/app/runs");
const STATES = ["running", "success", "failed", "cancelled"] as const;

export function RunFilters() {
  const { status, pipeline, trigger, from, to, q } = route.useSearch();
  const navigate = route.useNavigate();
  const change = (part: Partial<ReturnType<typeof route.useSearch>>) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true });
  // Of so many runs as one answer holds: a greater number is told as more.
  const { data: survey } = useQuery(surveyQuery({ pipeline, trigger, from, to, search: q }));
  const counted = survey?.runs ?? [];
  const count = (state: string) => counted.filter((run) => run.status === state).length;
  return (
    <div className="flex flex-wrap items-center gap-2">
      <div role="group" aria-label="State" className="flex flex-wrap gap-1.5">
        <Chip
          label="All"
          count={survey && number(counted.length, Boolean(survey.next))}
          isOn={status === undefined}
          onClick={() => change({ status: undefined })}
        />
        {STATES.map((state) => (
          <Chip
            key={state}
            label={statusWord(state)}
            count={survey && number(count(state), Boolean(survey.next))}
            isOn={status === state}
            onClick={() => change({ status: status === state ? undefined : state })}
          />
        ))}
      </div>
      <span className="flex flex-wrap gap-2 2xl:ml-auto">
        <PipelineChoice value={pipeline} onChange={(pipeline) => change({ pipeline })} />
        <Select
          label="Begun"
          value={trigger ?? ""}
          choices={[
            { value: "", label: "However begun" },
            { value: "manual", label: TRIGGERS.manual },
            { value: "schedule", label: TRIGGERS.schedule },
            { value: "api", label: TRIGGERS.api },
            { value: "client", label: TRIGGERS.client },
            { value: "webhook", label: TRIGGERS.webhook },
            { value: "upstream", label: TRIGGERS.upstream },
            { value: "files", label: TRIGGERS.files },
          ]}
          onChange={(trigger) => change({ trigger: trigger || undefined })}
        />
        <ErrorSearch value={q} onChange={(q) => change({ q })} />
      </span>
    </div>
  );
}

function number(count: number, isMore: boolean): string {
  return isMore ? `${count}+` : String(count);
}

interface ChipProps {
  label: string;
  count: string | undefined;
  isOn: boolean;
  onClick: () => void;
}

function Chip({ label, count, isOn, onClick }: ChipProps) {
  return (
    <button
      type="button"
      aria-pressed={isOn}
      onClick={onClick}
      className={cn(
        "flex h-9 items-center gap-2 rounded-full border px-3.5 text-sm font-medium transition-colors",
        isOn
          ? "border-primary bg-accent text-accent-foreground"
          : "border-border bg-card hover:border-input hover:bg-muted",
      )}
    >
      {label}
      {count !== undefined && <span className="text-xs tabular-nums opacity-80">{count}</span>}
    </button>
  );
}

/** Found by the service: there may be thousands. */
function PipelineChoice({
  value,
  onChange,
}: {
  value: string | undefined;
  onChange: (pipeline: string | undefined) => void;
}) {
  const [text, setText] = useState("");
  const { data } = useQuery(pipelineSearchQuery(text));
  const choices = [
    { value: "", label: "All pipelines" },
    ...(data ?? []).map(({ name }) => ({ value: name, label: name })),
  ];
  return (
    <Combobox
      label="Pipeline"
      className="w-48"
      value={value ?? ""}
      choices={choices}
      onSearch={setText}
      onChange={(pipeline) => onChange(pipeline || undefined)}
    />
  );
}

function ErrorSearch({
  value,
  onChange,
}: {
  value: string | undefined;
  onChange: (text: string | undefined) => void;
}) {
  const field = useRef<HTMLInputElement>(null);
  useShortcuts([{ keys: "/", label: "Search in errors", run: () => field.current?.focus() }]);
  return (
    <SearchInput
      ref={field}
      label="Search in errors"
      className="w-56"
      value={value ?? ""}
      onChange={(text) => onChange(text || undefined)}
    />
  );
}
