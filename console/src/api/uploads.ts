// Files on their way to the service: one after another, whatever page is shown meanwhile.
import { sendPieces } from "@/lib/send-pieces";
import { createStore, useStore } from "@/lib/store";
import { keep, kept } from "@/lib/storage";
import { answer, client, send } from "./client";
import { refreshFiles } from "./files";
import { currentOrganization } from "./organization";
import { ApiProblem } from "./problem";

export interface UploadItem {
  id: number;
  file: File;
  folder: string;
  /** Bytes that have come. */
  sent: number;
  state: "waiting" | "sending" | "broken" | "done";
  error: unknown;
}

const items = createStore<readonly UploadItem[]>([]);
/** Those that are given up while they are sent. */
const stops = new Map<number, AbortController>();
let last = 0;
let isBusy = false;

export function useUploads(): readonly UploadItem[] {
  return useStore(items);
}

export function upload(files: Iterable<File>, folder: string): void {
  const added = Array.from(files, (file): UploadItem => {
    last += 1;
    return { id: last, file, folder, sent: 0, state: "waiting", error: null };
  });
  items.set([...items.get(), ...added]);
  void work();
}

/** Goes on where it was broken off. */
export function resumeUpload(id: number): void {
  change(id, { state: "waiting", error: null });
  void work();
}

/** Out of the list; what has come of one that is not whole is thrown away. */
export function dropUpload(id: number): void {
  const item = items.get().find((one) => one.id === id);
  items.set(items.get().filter((one) => one.id !== id));
  stops.get(id)?.abort();
  if (!item || item.state === "done") return;
  const begun = kept(keyOf(item));
  keep(keyOf(item), null);
  if (begun === null) return;
  const params = { path: { upload: begun } };
  // Where that fails, the service throws it away by itself after a while.
  void client.DELETE("/files/uploads/{upload}", { params }).catch(() => null);
}

function change(id: number, wish: Partial<UploadItem>): void {
  items.set(items.get().map((one) => (one.id === id ? { ...one, ...wish } : one)));
}

async function work(): Promise<void> {
  if (isBusy) return;
  isBusy = true;
  for (;;) {
    const item = items.get().find(({ state }) => state === "waiting");
    if (!item) break;
    change(item.id, { state: "sending" });
    try {
      await bring(item);
      keep(keyOf(item), null);
      change(item.id, { state: "done", sent: item.file.size });
      void refreshFiles();
    } catch (error) {
      change(item.id, { state: "broken", error });
    }
  }
  isBusy = false;
}

async function bring(item: UploadItem): Promise<void> {
  const { file, id } = item;
  const begun = await beginning(item);
  const stop = new AbortController();
  stops.set(id, stop);
  const params = { path: { upload: begun.id } };
  try {
    await sendPieces({
      size: file.size,
      offset: begun.offset,
      send: async (start, end) => {
        const path = `/files/uploads/${encodeURIComponent(begun.id)}?offset=${start}`;
        await send("PUT", path, file.slice(start, end), stop.signal);
        return end;
      },
      ask: async () => {
        try {
          return (await answer(client.GET("/files/uploads/{upload}", { params }))).offset;
        } catch (error) {
          if (isGone(error) && (await isThere(item))) return null;
          throw error;
        }
      },
      isPassing: (error) => !stop.signal.aborted && error instanceof ApiProblem && mayPass(error),
      wait: (ms) => new Promise((done) => setTimeout(done, ms)),
      onProgress: (sent) => change(id, { sent }),
    });
  } finally {
    stops.delete(id);
  }
}

/** A new upload, or that of the same file that was begun here before, also by a page that is gone. */
async function beginning(item: UploadItem): Promise<{ id: string; offset: number }> {
  const { file, folder } = item;
  const before = kept(keyOf(item));
  if (before !== null) {
    const params = { path: { upload: before } };
    try {
      return await answer(client.GET("/files/uploads/{upload}", { params }));
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  const body = { name: file.name, folder, size: file.size };
  const made = await answer(client.POST("/files", { body }));
  keep(keyOf(item), made.id);
  return made;
}

/** Whether the answer was lost, and not the file. */
async function isThere({ file, folder }: UploadItem): Promise<boolean> {
  const query = { folder, search: file.name };
  const { files } = await answer(client.GET("/files", { params: { query } }));
  return files.some(({ name, size }) => name === file.name && size === file.size);
}

function keyOf({ file, folder }: UploadItem): string {
  const which = [currentOrganization(), folder, file.name, file.size, file.lastModified];
  return `flowetl.upload ${which.join("/")}`;
}

function isGone(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 404;
}

/** 408: too slow for one call; what has come is kept. */
function mayPass(error: ApiProblem): boolean {
  return error.isPassing || error.status === 408;
}
