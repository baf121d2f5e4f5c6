// Tests many connections, a few at a time, and says how far it is.
import { useCallback, useRef, useState } from "react";
import { type Connection, useTestConnection } from "@/api/connections";
import { toast } from "@/components/ui/toast";
import { plural } from "@/lib/format";

const AT_ONCE = 4;

export function useBulkTest() {
  const { mutateAsync } = useTestConnection();
  const [testing, setTesting] = useState<ReadonlySet<string>>(new Set());
  const [progress, setProgress] = useState<{ done: number; all: number } | null>(null);
  const isOn = useRef(false);

  const one = useCallback(
    async (connection: Connection): Promise<boolean> => {
      setTesting((before) => new Set(before).add(connection.id));
      const found = await mutateAsync(connection.id).catch(() => null);
      setTesting((before) => new Set([...before].filter((id) => id !== connection.id)));
      return found?.success === true;
    },
    [mutateAsync],
  );

  const all = async (connections: readonly Connection[]): Promise<void> => {
    if (isOn.current) return;
    isOn.current = true;
    const waiting = [...connections];
    let [done, failed] = [0, 0];
    setProgress({ done, all: connections.length });
    const work = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        if (!(await one(next))) failed += 1;
        done += 1;
        setProgress({ done, all: connections.length });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    isOn.current = false;
    setProgress(null);
    const said = `${plural(done, "connection")} tested: ${failed === 0 ? "all answer" : plural(failed, "failure")}.`;
    toast(failed === 0 ? "success" : "danger", said);
  };

  return { testing, progress, one, all };
}
