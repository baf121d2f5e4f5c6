// The two ways to see a graph: drawn, or as a table.
import { ListTree, Workflow } from "lucide-react";
import { Button } from "@/components/ui/button";

const WAYS = [
  { isOutline: false, label: "Graph", icon: Workflow },
  { isOutline: true, label: "Outline", icon: ListTree },
] as const;

interface GraphWaysProps {
  isOutline: boolean;
  onChange: (isOutline: boolean) => void;
}

export function GraphWays({ isOutline, onChange }: GraphWaysProps) {
  return (
    <div className="flex rounded-lg border border-border p-0.5" role="group" aria-label="How it is shown">
      {WAYS.map(({ label, icon: Icon, ...way }) => (
        <Button
          key={label}
          size="sm"
          variant="ghost"
          aria-pressed={isOutline === way.isOutline}
          className={isOutline === way.isOutline ? "bg-accent text-accent-foreground" : ""}
          onClick={() => onChange(way.isOutline)}
        >
          <Icon aria-hidden /> {label}
        </Button>
      ))}
    </div>
  );
}
