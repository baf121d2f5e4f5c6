// From where to where a pipeline goes: the systems' signs, their names in words.
import { ArrowRight } from "lucide-react";
import type { PipelineItem } from "@/api/pipeline-list";
import { TypeIcon } from "@/components/type-icon";
import { Tooltip } from "@/components/ui/tooltip";

type End = PipelineItem["sources"][number];

const SHOWN = 3;

export function FromTo({ item: { sources, targets } }: { item: PipelineItem }) {
  if (sources.length === 0 && targets.length === 0) return <span className="text-muted-foreground">–</span>;
  const words = `From ${names(sources)} to ${names(targets)}`;
  return (
    <Tooltip text={words}>
      <span role="img" aria-label={words} className="flex w-fit items-center gap-1.5 text-muted-foreground">
        <Signs ends={sources} />
        <ArrowRight aria-hidden className="size-3.5" />
        <Signs ends={targets} />
      </span>
    </Tooltip>
  );
}

function Signs({ ends }: { ends: readonly End[] }) {
  if (ends.length === 0) return <span>–</span>;
  return (
    <>
      {ends.slice(0, SHOWN).map(({ type }, index) => (
        <TypeIcon key={index} type={type} className="size-4 text-link" />
      ))}
      {ends.length > SHOWN && <span className="text-xs">+{ends.length - SHOWN}</span>}
    </>
  );
}

function names(ends: readonly End[]): string {
  return ends.map(({ connection, type }) => connection ?? type).join(", ") || "nothing";
}
