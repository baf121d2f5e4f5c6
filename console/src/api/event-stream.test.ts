// Events that arrive in pieces.
import { expect, test } from "vitest";
import { readEvents } from "./event-stream";

test("events are whole however they arrive", async () => {
  const text =
    ':\n\nid: 1\nevent: hello\ndata: {"a":1}\n\nevent: over\ndata: gone\n\ndata: {"b":\ndata: "c\u00e9"}\n\n';
  const bytes = new TextEncoder().encode(text);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const found: unknown[] = [];
  for await (const data of readEvents(new Response(body))) found.push(JSON.parse(data));
  expect(found).toEqual([{ a: 1 }, { b: "cé" }]);
});
