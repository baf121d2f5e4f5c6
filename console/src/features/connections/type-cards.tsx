// The first step of a new connection: which kind of system it leads to.
import type { Connector } from "@/api/catalogue";
import { TypeIcon } from "@/components/type-icon";

interface TypeCardsProps {
  connectors: readonly Connector[];
  onChoose: (connector: Connector) => void;
}

export function TypeCards({ connectors, onChoose }: TypeCardsProps) {
  return (
    <ul className="grid grid-cols-1 gap-3 sm:grid-cols-2" aria-label="Types of connection">
      {connectors.map((connector, index) => (
        <li key={connector.name}>
          <button
            type="button"
            onClick={() => onChoose(connector)}
            autoFocus={index === 0}
            className="flex w-full items-center gap-4 rounded-xl border border-border bg-card p-4 text-left transition-[transform,border-color,box-shadow] duration-150 hover:-translate-y-0.5 hover:border-primary/60 hover:shadow-lg hover:shadow-primary/10"
          >
            <span className="grid size-12 shrink-0 place-items-center rounded-xl bg-accent text-accent-foreground">
              <TypeIcon type={connector.name} className="size-6" />
            </span>
            <span>
              <span className="block text-base font-semibold">{connector.label}</span>
              <span className="text-muted-foreground">
                {connector.places === "tables" ? "Tables and views" : "Parquet, CSV, JSON"}
              </span>
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
