// What happens in an organization, as it happens: over a WebSocket, else as server-sent events, else asked for.
import { z } from "@/lib/z";
import { answer, API, client, open } from "./client";
import { readEvents } from "./event-stream";
import { ApiProblem } from "./problem";
import { accessToken, renew, whoIsHere } from "./session";

const document = z.object({
  number: z.nullish(z.number()),
  kind: z.string(),
  subject: z.string(),
  detail: z.nullish(z.record(z.string(), z.unknown())),
  at: z.string(),
});

/** `run.started` of a run, `connection.changed` of a connection; those without number are counters of runs. */
export type Happening = z.infer<typeof document>;

export type LiveState = "connecting" | "live" | "paused" | "polling";

interface Listener {
  organization: string;
  onHappening: (happening: Happening) => void;
  /** Not all since the last one is kept: everything is to be asked for anew. */
  onGap: () => void;
  onState: (state: LiveState) => void;
}

const POLL_MS = 5_000;
/** A better way is tried again after so many polls. */
const POLLS = 12;
/** The same for a stream, whose end the other side may not have told. */
const STREAM_MS = 90_000;
/** A WebSocket that something on the way neither opens nor refuses. */
const OPEN_MS = 10_000;
const RETRY_MS = 500;
/** After so many failures it is asked for instead. */
const FAILURES_MAX = 3;
const FORGOTTEN = 4410;
const TOKEN_SPENT = 4401;
const FORBIDDEN = 4403;
/** Who lost the organization is led to another one by then. */
const FORBIDDEN_MS = 10_000;

/** Listens until it is aborted, whatever becomes of the way there. */
export async function listen(listener: Listener, signal: AbortSignal): Promise<void> {
  const feed = new Feed(listener, signal);
  listener.onState("connecting");
  for (let failures = 0; !signal.aborted; failures += 1) {
    const wasLive = (await feed.socket()) || (await feed.stream());
    if (feed.isOver()) return;
    if (wasLive) failures = 0;
    if (failures >= FAILURES_MAX) await feed.poll();
    else {
      listener.onState("paused");
      await wait(RETRY_MS * 2 ** failures, feed.way());
    }
  }
}

class Feed {
  private last: number | null = null;
  private change = new AbortController();
  constructor(
    private readonly listener: Listener,
    private readonly signal: AbortSignal,
  ) {
    const onChange = () => {
      this.change.abort();
      this.change = new AbortController();
    };
    for (const name of ["online", "offline"]) addEventListener(name, onChange, { signal });
  }

  isOver(): boolean {
    return this.signal.aborted;
  }

  /** Ends when the network changes: what is open may be dead then without a word, what was closed may be open. */
  way(): AbortSignal {
    return AbortSignal.any([this.signal, this.change.signal]);
  }

  /** Whether anything came this way before it ended. */
  async socket(): Promise<boolean> {
    const token = await accessToken().catch(() => null);
    if ((token === null && whoIsHere() !== "anybody") || this.signal.aborted) return false;
    const url = new URL(
      `${API}/organizations/${this.listener.organization}/ws${this.after()}`,
      location.href,
    );
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url, ["flowetl", ...(token === null ? [] : [`bearer.${token}`])]);
    const way = this.way();
    return new Promise((resolve) => {
      let came = false;
      // A dead one would tell of its end only after a while.
      const leave = () => {
        socket.onmessage = null;
        socket.close();
        resolve(came);
      };
      const opening = setTimeout(leave, OPEN_MS);
      way.addEventListener("abort", leave);
      socket.onopen = () => clearTimeout(opening);
      socket.onmessage = ({ data }) => {
        came = true;
        this.take(data);
      };
      socket.onclose = ({ code }) => {
        clearTimeout(opening);
        if (code === FORGOTTEN) this.forget();
        if (code === TOKEN_SPENT) void renew(token).catch(() => null);
        if (code === FORBIDDEN) void wait(FORBIDDEN_MS, this.signal).then(() => resolve(true));
        else resolve(came);
      };
    });
  }

  /** The same through proxies that know no WebSocket. */
  async stream(): Promise<boolean> {
    const signal = AbortSignal.any([this.way(), AbortSignal.timeout(STREAM_MS)]);
    let came = false;
    try {
      const path = `/organizations/${this.listener.organization}/events${this.after()}`;
      const response = await open(path, { accept: "text/event-stream", signal });
      for await (const data of readEvents(response)) {
        came = true;
        this.take(data);
      }
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 410) this.forget();
    }
    return came;
  }

  /** For a minute, or until the network changes; then a better way may be open again. */
  async poll(): Promise<void> {
    const way = this.way();
    for (let polls = 0; polls < POLLS && !way.aborted; polls += 1) {
      try {
        const query = this.last === null ? {} : { after: this.last };
        const page = await answer(client.GET("/events", { params: { query }, signal: way }));
        this.listener.onState("polling");
        for (const happening of page.events) this.tell(document.parse(happening));
        this.last = page.next;
      } catch (error) {
        if (this.isOver()) return;
        if (error instanceof ApiProblem && error.status === 410) this.forget();
        this.listener.onState("paused");
      }
      await wait(POLL_MS, way);
    }
  }

  private after(): string {
    return this.last === null ? "" : `?after=${this.last}`;
  }

  private forget(): void {
    this.last = null;
    this.listener.onGap();
  }

  private take(data: unknown): void {
    if (typeof data !== "string") return;
    const parsed = document.safeParse(JSON.parse(data));
    if (parsed.success) this.tell(parsed.data);
  }

  private tell(happening: Happening): void {
    if (happening.kind === "hello") {
      // What was shown before may be older than what is told from here on.
      if (this.last === null) this.listener.onGap();
      this.listener.onState("live");
    } else this.listener.onHappening(happening);
    this.last = happening.number ?? this.last;
  }
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
