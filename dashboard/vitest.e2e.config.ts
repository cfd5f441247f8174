import { defineConfig } from "vitest/config";

// These tests drive the built binary with a real browser: run `make build` first.
export default defineConfig({
  test: {
    environment: "node",
    include: ["e2e/**/*.e2e.ts"],
    testTimeout: 120_000,
    hookTimeout: 90_000,
    // One binary with its own database at a time is enough for one machine.
    fileParallelism: false,
    // Where a file lets its tests run beside one another, a browser keeps a core busy.
    maxConcurrency: 2,
  },
});
