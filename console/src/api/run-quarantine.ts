// The rows that a run could not read and has put aside: page by page, or all of them as text.
import { infiniteQueryOptions } from "@tanstack/react-query";
import { answer, client } from "./client";
import type { RunDetail } from "./runs";
import type { Schemas } from "./types";

export type QuarantinedRow = Schemas["QuarantinedRow"];

const PAGE = 100;
const PAGE_MAX = 1_000;

function page(run: string, query: { block?: string; after?: string; limit: number }, signal?: AbortSignal) {
  const params = { path: { run }, query };
  return answer(client.GET("/runs/{run}/quarantine", { params, ...(signal && { signal }) }));
}

/** Those of one block, or of all. They can be read once the block's segment has ended. */
export function quarantineQuery(run: RunDetail, block: string | undefined) {
  return infiniteQueryOptions({
    queryKey: ["run quarantine", run.id, run.state, block],
    queryFn: ({ signal, pageParam }) =>
      page(run.id, { limit: PAGE, ...(block && { block }), ...(pageParam && { after: pageParam }) }, signal),
    initialPageParam: "",
    getNextPageParam: (page) => (page.has_more ? page.next : undefined),
  });
}

/** All of them, one a line as JSON. */
export async function quarantineText(run: string): Promise<Blob> {
  const lines: string[] = [];
  let after: string | undefined;
  do {
    const { rows, next, has_more } = await page(run, { limit: PAGE_MAX, ...(after && { after }) });
    lines.push(...rows.map((row) => `${JSON.stringify(row)}\n`));
    after = has_more ? next : undefined;
  } while (after);
  return new Blob(lines, { type: "application/x-ndjson" });
}
