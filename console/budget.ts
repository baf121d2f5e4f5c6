// Refuses a build whose first load has more JavaScript than it may.
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

export function budget({ gzipBytes }: { gzipBytes: number }): Plugin {
  return {
    name: "budget",
    apply: "build",
    generateBundle(_, bundle) {
      const waiting = Object.values(bundle).flatMap((file) =>
        file.type === "chunk" && file.isEntry ? [file.fileName] : [],
      );
      const first = new Set<string>();
      for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
        const file = bundle[name];
        if (file?.type !== "chunk" || first.has(name)) continue;
        first.add(name);
        waiting.push(...file.imports);
      }
      let bytes = 0;
      for (const name of first) {
        const file = bundle[name];
        if (file?.type === "chunk") bytes += gzipSync(file.code).length;
      }
      const said = `first load: ${(bytes / 1024).toFixed(1)} KiB of JavaScript, gzipped, of ${gzipBytes / 1024}`;
      if (bytes > gzipBytes) this.error(said);
      this.info(said);
    },
  };
}
