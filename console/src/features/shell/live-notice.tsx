// Says when what is shown does not follow by itself.
import { CloudOff, RefreshCw } from "lucide-react";
import { useEffect, useState } from "react";
import { useLiveState } from "@/api/live";

/** A connection that is back sooner than this is not worth a word. */
const PATIENCE_MS = 2_000;

export function LiveNotice() {
  const state = useLiveState();
  const isLost = state === "paused" || state === "polling";
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(isLost), isLost ? PATIENCE_MS : 0);
    return () => clearTimeout(timer);
  }, [isLost]);
  const Icon = state === "polling" ? RefreshCw : CloudOff;
  return (
    <div role="status">
      {isShown && isLost && (
        <p className="flex items-center gap-2 rounded-full bg-warning-soft px-3 py-1 text-xs font-medium whitespace-nowrap text-warning">
          <Icon aria-hidden className="size-3.5 shrink-0" />
          Live updates paused
          <span className="font-normal max-xl:sr-only">
            {state === "polling" ? "· asking every 5 s" : "· trying to reconnect"}
          </span>
        </p>
      )}
    </div>
  );
}
