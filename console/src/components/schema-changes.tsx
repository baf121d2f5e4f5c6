// How sources differ from what was read of them before.
import type { Schemas } from "@/api/types";

export function SchemaChanges({ changes }: { changes: readonly Schemas["SchemaChange"][] }) {
  return (
    <ul className="space-y-1.5">
      {changes.map(({ block, column, before, after }) => (
        <li key={`${block} ${column}`}>
          <strong>{block}</strong>: column <code className="font-mono">{column}</code>{" "}
          {before ? `was ${before}` : "is new"}
          {after ? `${before ? " and is" : ","} ${after}` : " and is gone"}
        </li>
      ))}
    </ul>
  );
}
