// Tests of the whole console in a real browser, against a real coordinator.
import { defineConfig } from "vitest/config";

// `--mode figures` measures instead of testing; `--mode shots` photographs every page in all sizes on the way.
export default defineConfig(({ mode }) => ({
  root: import.meta.dirname,
  test: {
    include: [mode === "figures" ? "**/*.figures.ts" : "**/*.e2e.ts"],
    provide: { photographsAll: mode === "shots" },
    globalSetup: "./service.ts",
    // One machine serves them all.
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 60_000,
  },
}));
