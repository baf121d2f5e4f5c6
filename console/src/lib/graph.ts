// A pipeline's graph as the API sends it.
import { z } from "@/lib/z";

const graph = z.object({ nodes: z.array(z.object({ settings: z.record(z.string(), z.unknown()) })) });

/** Keys of blocks that name a place, which begins with its connection. */
const PLACES = ["extract", "to", "in", "connection"];

/** Whether a block reads from a connection or writes to it. */
export function namesConnection(document: unknown, connection: string): boolean {
  const parsed = graph.safeParse(document);
  if (!parsed.success) return false;
  return parsed.data.nodes.some(({ settings }) =>
    PLACES.some((key) => {
      const place = settings[key];
      if (typeof place !== "string" || !place.startsWith(connection)) return false;
      return ["", ".", "/"].includes(place.charAt(connection.length));
    }),
  );
}
