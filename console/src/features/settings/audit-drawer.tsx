// One change: how it was, and how it is.
import type { Schemas } from "@/api/types";
import { CopyButton } from "@/components/ui/copy-button";
import { Drawer } from "@/components/ui/dialog";
import { Time } from "@/components/ui/values";

interface AuditDrawerProps {
  entry: Schemas["AuditEntry"];
  who: string;
  onClose: () => void;
}

export function AuditDrawer({ entry, who, onClose }: AuditDrawerProps) {
  const rows = [
    ["Who", who],
    ["When", <Time key="at" at={entry.at} absolute />],
    ["From", entry.address],
    ["API key", entry.api_key],
  ] as const;
  return (
    <Drawer isOpen onClose={onClose} title={entry.action}>
      <div className="flex flex-col gap-5">
        <dl className="grid grid-cols-[6rem_minmax(0,1fr)] gap-y-2">
          {rows.map(
            ([label, value]) =>
              value && (
                <div key={label} className="contents">
                  <dt className="text-muted-foreground">{label}</dt>
                  <dd className="break-all">{value}</dd>
                </div>
              ),
          )}
          <dt className="text-muted-foreground">To what</dt>
          <dd className="flex items-center gap-1 font-mono text-xs break-all">
            {entry.subject} <CopyButton text={entry.subject} label="Copy id" />
          </dd>
        </dl>
        <State title="Before" value={entry.before} />
        <State title="After" value={entry.after} />
      </div>
    </Drawer>
  );
}

function State({ title, value }: { title: string; value: unknown }) {
  return (
    <section>
      <h3 className="mb-2 font-medium">{title}</h3>
      {value === null || value === undefined ? (
        <p className="text-muted-foreground">It was not there.</p>
      ) : (
        <pre
          // What scrolls is to be reached by the keyboard.
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          tabIndex={0}
          className="overflow-x-auto rounded-lg bg-muted p-3 font-mono text-xs"
        >
          {JSON.stringify(value, null, 2)}
        </pre>
      )}
    </section>
  );
}
