// Why a call failed, in the service's own words where it has any.
import { z } from "@/lib/z";

const document = z.object({
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  field: z.nullish(z.string()),
  instance: z.nullish(z.string()),
  problems: z.optional(z.array(z.record(z.string(), z.unknown()))),
});

export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  /** 0 where the service was not reached. */
  readonly status: number;
  readonly title: string;
  /** The field that is wrong, where it is one. */
  readonly field: string | null;
  /** By which the coordinator's log knows it. */
  readonly instance: string | null;
  /** Everything that is wrong with a pipeline file. */
  readonly problems: Record<string, unknown>[];
  readonly retryAfterSeconds: number | null;

  constructor(wrong: {
    status: number;
    title: string;
    detail: string;
    field?: string | null | undefined;
    instance?: string | null | undefined;
    problems?: Record<string, unknown>[] | undefined;
    retryAfterSeconds?: number | null;
  }) {
    super(wrong.detail);
    this.status = wrong.status;
    this.title = wrong.title;
    this.field = wrong.field ?? null;
    this.instance = wrong.instance ?? null;
    this.problems = wrong.problems ?? [];
    this.retryAfterSeconds = wrong.retryAfterSeconds ?? null;
  }

  get isOffline(): boolean {
    return this.status === 0;
  }

  /** Whether the same call may go well a moment later. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }
}

export async function problemOf(response: Response): Promise<ApiProblem> {
  const body: unknown = await response.json().catch(() => null);
  const parsed = document.safeParse(body);
  const retry = Number(response.headers.get("retry-after") ?? NaN);
  const retryAfterSeconds = Number.isFinite(retry) ? retry : null;
  if (parsed.success) return new ApiProblem({ ...parsed.data, retryAfterSeconds });
  // A proxy on the way has no problem document.
  const title = response.statusText || "Error";
  return new ApiProblem({
    status: response.status,
    title,
    detail: `the service answered ${response.status}`,
  });
}

export function unreached(error: unknown): ApiProblem {
  const why = error instanceof Error ? error.message : String(error);
  return new ApiProblem({ status: 0, title: "Not reached", detail: `the service was not reached (${why})` });
}
