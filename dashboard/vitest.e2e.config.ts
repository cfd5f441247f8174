import { defineConfig } from "vitest/config";

// These tests drive the built binary with a real browser: run `make build` first.
export default defineConfig({
  test: {
    environment: "node",
    include: ["e2e/**/*.e2e.ts"],
    testTimeout: 60_000,
    hookTimeout: 90_000,
    // One binary with its own database at a time is enough for one machine.
    fileParallelism: false,
  },
});
