import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { precompress } from "./precompress.ts";

const server = "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react(), precompress()],
  resolve: { alias: { "@shared": fileURLToPath(new URL("./src/shared", import.meta.url)) } },
  build: { outDir: "../server/pages", emptyOutDir: true, target: "es2022" },
  server: {
    proxy: Object.fromEntries(
      ["/auth", "/api", "/whip", "/whep", "/.well-known"].map((path) => [path, server]),
    ),
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
