// The first load: compiled before it is needed, and refused where it has more JavaScript than it may.
import { gzipSync } from "node:zlib";
import type { Plugin, Rolldown } from "vite";

/** A browser compiles all of such a file while it comes, beside what draws, instead of each function when it is called first. */
const HINT = "//# allFunctionsCalledOnLoad\n";

export function budget({ gzipBytes }: { gzipBytes: number }): Plugin {
  return {
    name: "budget",
    apply: "build",
    generateBundle: {
      // The hint stands before what others put first.
      order: "post",
      handler(_, bundle) {
        let bytes = 0;
        for (const file of firstLoad(bundle)) {
          file.code = HINT + file.code;
          bytes += gzipSync(file.code).length;
        }
        const said = `first load: ${(bytes / 1024).toFixed(1)} KiB of JavaScript, gzipped, of ${gzipBytes / 1024}`;
        if (bytes > gzipBytes) this.error(said);
        this.info(said);
      },
    },
  };
}

/** What begins, and all that it cannot begin without. */
function firstLoad(bundle: Rolldown.OutputBundle): Iterable<Rolldown.OutputChunk> {
  const waiting = Object.values(bundle).flatMap((file) =>
    file.type === "chunk" && file.isEntry ? [file.fileName] : [],
  );
  const first = new Map<string, Rolldown.OutputChunk>();
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const file = bundle[name];
    if (file?.type !== "chunk" || first.has(name)) continue;
    first.set(name, file);
    waiting.push(...file.imports);
  }
  return first.values();
}
