// The keyboard shortcuts that count on this page.
import { Kbd } from "@/components/ui/card";
import { Dialog } from "@/components/ui/dialog";
import { activeShortcuts, keyNames } from "@/lib/keys";

export function HelpDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog isOpen onClose={onClose} title="Keyboard shortcuts" description="Those that count on this page.">
      <dl className="grid grid-cols-1 gap-x-8 sm:grid-cols-2">
        {activeShortcuts().map(({ keys, label }) => (
          <div key={keys} className="flex h-9 items-center justify-between gap-4 border-b border-border">
            <dt>{label}</dt>
            <dd className="flex gap-1">
              {keyNames(keys).map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
