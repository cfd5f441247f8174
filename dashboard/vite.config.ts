import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: {
    alias: {
      // Radix locks scrolling through a package that writes <style> elements, which our content policy
      // refuses. This stand-in has the same exports and uses a constructed stylesheet instead.
      "react-style-singleton": fileURLToPath(new URL("./src/ui/style-singleton.ts", import.meta.url)),
    },
  },
  server: {
    // Not named PEAL_: the server refuses settings of that prefix that it does not know.
    proxy: { "/api": process.env["VITE_CONTROL_URL"] ?? "http://127.0.0.1:6002" },
  },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    // No data: URLs: the content policy allows only what our own server sends.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/test-setup.ts"],
    restoreMocks: true,
  },
});
