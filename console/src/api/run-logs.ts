// What was said of a run: page by page, all as text, or while it goes on.
import { infiniteQueryOptions } from "@tanstack/react-query";
import { z } from "@/lib/z";
import { answer, client, open } from "./client";
import { readEvents } from "./event-stream";

export interface LogFilter {
  block?: string | undefined;
  level?: string | undefined;
  search?: string | undefined;
}

const PAGE = 500;

const line = z.object({
  at: z.string(),
  level: z.string(),
  segment: z.catch(z.nullable(z.string()), null),
  block: z.catch(z.nullable(z.string()), null),
  attempt: z.catch(z.nullable(z.number()), null),
  executor: z.catch(z.nullable(z.string()), null),
  message: z.string(),
  fields: z.catch(z.record(z.string(), z.string()), {}),
});

export type LogLine = z.infer<typeof line>;

/** Lines that follow one another, held as text while nobody looks at them: a million objects hold a page up. */
export class LogPiece {
  readonly count: number;
  readonly #text: string;
  #seen: WeakRef<readonly LogLine[]>;

  constructor(lines: readonly LogLine[]) {
    this.count = lines.length;
    this.#text = JSON.stringify(lines);
    this.#seen = new WeakRef(lines);
  }

  get lines(): readonly LogLine[] {
    const seen = this.#seen.deref();
    if (seen) return seen;
    const lines = z.array(line).parse(JSON.parse(this.#text));
    this.#seen = new WeakRef(lines);
    return lines;
  }
}

export function logQuery(run: string, filter: LogFilter) {
  return infiniteQueryOptions({
    // Not among "runs": what happens to the run is told over its stream.
    queryKey: ["run log", run, filter],
    queryFn: async ({ signal, pageParam }) => {
      const query = { ...given(filter), limit: PAGE, ...(pageParam && { after: pageParam }) };
      const page = await answer(client.GET("/runs/{run}/logs", { params: { path: { run }, query }, signal }));
      const { next, has_more } = page;
      return { next, has_more, piece: new LogPiece(z.array(line).parse(page.lines)) };
    },
    initialPageParam: "",
    getNextPageParam: (page) => (page.has_more ? page.next : undefined),
    staleTime: 0,
    gcTime: 0,
  });
}

/** Lines as they come, until the run is over; `after` is the `next` of the last page. */
export async function* followLog(
  run: string,
  filter: LogFilter,
  after: string,
  signal: AbortSignal,
): AsyncGenerator<LogLine[]> {
  const query = new URLSearchParams({ ...given(filter), after, follow: "true" });
  const response = await open(`/runs/${encodeURIComponent(run)}/logs?${query}`, {
    accept: "text/event-stream",
    signal,
  });
  for await (const data of readEvents(response)) {
    const lines = z.array(line).safeParse(JSON.parse(data));
    if (lines.success) yield lines.data;
  }
}

/** The whole log as text. */
export async function logText(run: string, filter: LogFilter): Promise<string> {
  const query = new URLSearchParams(given(filter));
  const response = await open(`/runs/${encodeURIComponent(run)}/logs?${query}`, {
    accept: "text/plain",
    signal: AbortSignal.timeout(120_000),
  });
  return response.text();
}

function given(filter: LogFilter): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(filter))
    if (typeof value === "string" && value) found[name] = value;
  return found;
}
