// The steps of the wizard that choose places, the way of writing, and the name.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Cable, CircleCheck } from "lucide-react";
import type { Connection } from "@/api/connections";
import { checkQuery } from "@/api/pipeline-checks";
import { Words } from "@/components/words";
import { Alert } from "@/components/ui/alert";
import { Badge } from "@/components/ui/badge";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { EmptyState } from "@/components/ui/states";
import { cn } from "@/lib/cn";
import type { Wishes, Write } from "./wizard";

export interface StepProps {
  wishes: Wishes;
  put: (next: Partial<Wishes>) => void;
  connections: readonly Connection[];
}

interface CardsProps {
  label: string;
  connections: readonly Connection[];
  value: string;
  onChange: (name: string) => void;
}

function ConnectionCards({ label, connections, value, onChange }: CardsProps) {
  if (connections.length === 0)
    return (
      <EmptyState
        icon={Cable}
        title="No connection can be used for this yet."
        link={
          <Link to="/connections" search={{ new: true }}>
            Make one
          </Link>
        }
      />
    );
  return (
    <div
      role="group"
      aria-label={label}
      className="grid grid-cols-[repeat(auto-fill,minmax(14rem,1fr))] gap-3"
    >
      {connections.map(({ id, name, type, last_test_status }) => (
        <button
          key={id}
          type="button"
          aria-pressed={value === name}
          onClick={() => onChange(name)}
          className={cn(
            "flex min-h-16 items-center gap-3 rounded-xl border else:border-border p-3 text-left hover:border-primary/60 hover:bg-muted",
            value === name && "border-primary bg-accent/50 ring-1 ring-primary",
          )}
        >
          <span className="min-w-0 flex-1 truncate font-medium">{name}</span>
          {last_test_status === "success" && (
            <CircleCheck aria-label="tested" className="size-4 text-success" />
          )}
          <Badge>{type}</Badge>
        </button>
      ))}
    </div>
  );
}

export function SourceStep({ wishes, put, connections, onPick }: StepProps & { onPick: () => void }) {
  return (
    <ConnectionCards
      label="Source"
      connections={connections.filter(({ direction }) => direction !== "destination")}
      value={wishes.source}
      onChange={(source) => {
        onPick();
        put({ source, tables: [], sourcePath: "" });
      }}
    />
  );
}

export function DestinationStep({
  wishes,
  put,
  connections,
  hasFiles,
}: StepProps & { hasFiles: (name: string) => boolean }) {
  return (
    <>
      <ConnectionCards
        label="Destination"
        connections={connections.filter(({ direction }) => direction !== "source")}
        value={wishes.destination}
        onChange={(destination) => put({ destination, destinationHasFiles: hasFiles(destination) })}
      />
      <Field
        label={wishes.destinationHasFiles ? "Folder" : "Schema"}
        isOptional
        help={
          wishes.destinationHasFiles
            ? "Each table becomes a Parquet file in it."
            : "Each table keeps its name in it."
        }
      >
        {(control) => (
          <Input
            {...control}
            className="max-w-sm"
            value={wishes.into}
            onChange={(event) => put({ into: event.target.value })}
          />
        )}
      </Field>
    </>
  );
}

const MODES: { value: Write; label: string; says: string }[] = [
  {
    value: "replace",
    label: "Replace",
    says: "Loads beside and swaps at the end: the table is never empty.",
  },
  { value: "append", label: "Append", says: "Adds the rows that are read to those that are there." },
  { value: "merge", label: "Merge", says: "Changes rows of the same key, adds the others." },
];

export function WriteStep({ wishes, put }: StepProps) {
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="mb-2 text-muted-foreground">What becomes of the rows that are there already</legend>
      {MODES.map(({ value, label, says }) => (
        <label
          key={value}
          className={cn(
            "flex min-h-12 cursor-pointer items-center gap-3 rounded-xl border else:border-border p-3 hover:bg-muted",
            wishes.write === value && "border-primary bg-accent/50 ring-1 ring-primary",
          )}
        >
          <input
            type="radio"
            name="write"
            value={value}
            checked={wishes.write === value}
            onChange={() => put({ write: value })}
            className="size-4 accent-primary"
          />
          <span className="font-medium">{label}</span>
          <span className="text-muted-foreground">{says}</span>
        </label>
      ))}
    </fieldset>
  );
}

export function ReviewStep({ wishes, put, text }: StepProps & { text: string }) {
  const { data } = useQuery(checkQuery(wishes.name, text));
  return (
    <>
      <Field label="Name">
        {(control) => (
          <Input
            {...control}
            className="max-w-sm"
            value={wishes.name}
            onChange={(event) => put({ name: event.target.value })}
          />
        )}
      </Field>
      <div className="flex flex-col gap-2">
        <h3 className="text-sm font-medium">The file</h3>
        <pre
          aria-label="The file"
          // What scrolls is to be reached by the keyboard.
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          tabIndex={0}
          className="max-h-96 overflow-auto rounded-lg bg-muted p-4 font-mono text-xs"
        >
          {text}
        </pre>
      </div>
      {data?.problems.length === 0 && <Alert kind="success">Nothing is wrong with it.</Alert>}
      {data?.problems.map((problem) => (
        <Alert key={`${problem.line} ${problem.message}`} kind="warning">
          <Words text={`${problem.block ?? "file"}: ${problem.message}`} />
        </Alert>
      ))}
    </>
  );
}
