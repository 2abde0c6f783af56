/** The build: one folder of hashed files that the desk serves itself, out of its own package. */
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

declare const process: { env: Record<string, string | undefined> };

const DESK = process.env.QD_DESK ?? "http://127.0.0.1:8787";

/** The desk knows its own name and refuses others' pages: the address stays the one in the browser. */
const THERE = { target: DESK, changeOrigin: false };

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../src/quantdesk/web_dist",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the page's policy allows no data: scripts or fonts
    chunkSizeWarningLimit: 200,
  },
  server: { proxy: { "/api": THERE, "/metrics": THERE, "/ws": { ...THERE, ws: true } } },
});
