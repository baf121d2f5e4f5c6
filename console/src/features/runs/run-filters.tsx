// Which runs are listed: states with their numbers, of which pipeline or transformation, what began them, text in errors.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { pipelineSearchQuery } from "@/api/pipelines";
import { surveyQuery } from "@/api/runs";
import { transformationsQuery } from "@/api/transformations";
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
  const { status, pipeline, transformation, trigger, from, to, q } = route.useSearch();
  const navigate = route.useNavigate();
  const change = (part: Partial<ReturnType<typeof route.useSearch>>) =>
    void navigate({ search: (before) => ({ ...before, ...part }), replace: true });
  // Of so many runs as one answer holds: a greater number is told as more.
  const { data: survey } = useQuery(surveyQuery({ pipeline, transformation, trigger, from, to, search: q }));
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
        <TargetChoice pipeline={pipeline} transformation={transformation} onChange={change} />
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

interface Of {
  pipeline: string | undefined;
  transformation: string | undefined;
}

/** Pipelines are found by the service: there may be thousands. */
function TargetChoice({ pipeline, transformation, onChange }: Of & { onChange: (of: Of) => void }) {
  const [text, setText] = useState("");
  const pipelines = useQuery(pipelineSearchQuery(text)).data ?? [];
  const { data } = useInfiniteQuery(transformationsQuery);
  const transformations = (data?.pages.flatMap((page) => page.transformations) ?? []).filter(({ name }) =>
    name.toLowerCase().includes(text.toLowerCase()),
  );
  // What is chosen is shown, also where the text would not find it.
  const names = (chosen: string | undefined, found: { name: string }[]) =>
    new Set([...(chosen ? [chosen] : []), ...found.map(({ name }) => name)]);
  const choices = [
    { value: "", label: "Everything", pipeline: undefined, transformation: undefined },
    ...[...names(pipeline, pipelines)].map((name) => choice("pipeline", name)),
    ...[...names(transformation, transformations)].map((name) => choice("transformation", name)),
  ];
  return (
    <Combobox
      label="Runs of"
      className="w-48"
      value={
        choices.find((one) => one.pipeline === pipeline && one.transformation === transformation)?.value ?? ""
      }
      choices={choices}
      onSearch={setText}
      onChange={(value) => {
        const { pipeline, transformation } = choices.find((one) => one.value === value) ?? {};
        onChange({ pipeline, transformation });
      }}
    />
  );
}

function choice(type: keyof Of, name: string) {
  const of: Of = { pipeline: undefined, transformation: undefined, [type]: name };
  return { value: `${type} ${name}`, label: name, aside: type, ...of };
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
