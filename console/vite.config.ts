import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { mock } from "./mock/plugin.ts";

const withMock = process.env.PLINTH_MOCK === "1";
const upstream = process.env.PLINTH_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  base: "/console/",
  plugins: [react(), tailwindcss(), ...(withMock ? [mock()] : [])],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    target: "es2022",
    // Everything is a file of its own: the page's policy is 'self', so nothing may be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: withMock
    ? {}
    : {
        proxy: {
          "/v1": upstream,
          "/readyz": upstream,
          "/openapi.json": upstream,
          "/connection": { target: upstream, ws: true },
        },
      },
});
