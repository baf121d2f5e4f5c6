// What the colours and lines of the lineage mean.
import { KindIcon } from "@/components/graph/kind-icon";
import { PortShape } from "@/components/graph/ports";
import { StatusIcon } from "@/components/ui/status-badge";

const KINDS = [
  { kind: "pipeline", word: "pipeline", colour: "text-info" },
  { kind: "transformation", word: "transformation", colour: "text-success" },
  { kind: "table", word: "table", colour: "" },
  { kind: "file", word: "file", colour: "" },
];
const STATES = ["success", "running", "failed", "never"];

export function Legend({ isByHealth, mayJoin }: { isByHealth: boolean; mayJoin: boolean }) {
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-1 text-xs text-muted-foreground">
      <ul aria-label="What colours mean" className="flex flex-wrap gap-x-4 gap-y-1">
        {isByHealth
          ? STATES.map((status) => (
              <li key={status}>
                <StatusIcon status={status} />
              </li>
            ))
          : KINDS.map(({ kind, word, colour }) => (
              <li key={kind} className="flex items-center gap-1.5">
                <KindIcon kind={kind} className={`size-4 ${colour}`} /> {word}
              </li>
            ))}
      </ul>
      <p className="flex items-center gap-1.5">
        <PortShape port="TRIGGER" />
        {mayJoin
          ? "A dashed line: one begins after the other. Draw one from pipeline to pipeline to add it; press it to remove it."
          : "A dashed line: one begins after the other."}
      </p>
    </div>
  );
}
