// How the console is built, served while it is worked on, and kept small.
import react from "@vitejs/plugin-react";
import tailwindcss from "@tailwindcss/vite";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { budget } from "./budget.ts";
import { pack } from "./pack.ts";

// The coordinator that answers `/api` while the console is served from here.
const api = { target: process.env["FLOWETL_URL"] ?? "http://127.0.0.1:8080", ws: true };

export default defineConfig({
  plugins: [react(), tailwindcss(), budget({ gzipBytes: 200 * 1024 }), pack()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: { proxy: { "/api": api } },
  preview: { proxy: { "/api": api } },
  build: {
    target: "es2023",
    sourcemap: false,
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            // What draws: it changes seldom, and stays with who has it.
            { name: "react", test: /node_modules\/(react|react-dom|scheduler)\// },
          ],
        },
      },
    },
  },
});
