// Lays a gzipped copy beside each text of the build: the coordinator sends it to browsers that take it.
import { gzipSync } from "node:zlib";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

const TEXTS = /\.(js|css|html|svg|json)$/;
/** A smaller one is sent as it is. */
const BYTES_MIN = 1024;

export function pack(): Plugin {
  return {
    name: "pack",
    apply: "build",
    writeBundle({ dir }) {
      if (dir === undefined) return;
      for (const entry of readdirSync(dir, { recursive: true, encoding: "utf8" })) {
        if (!TEXTS.test(entry)) continue;
        const text = readFileSync(join(dir, entry));
        if (text.length >= BYTES_MIN) writeFileSync(join(dir, `${entry}.gz`), gzipSync(text, { level: 9 }));
      }
    },
  };
}
