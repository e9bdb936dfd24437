import { defineConfig } from "vite";

// One script and one style sheet; bundle.mjs puts both inside the page.
export default defineConfig({
  build: {
    target: "es2022",
    cssCodeSplit: false,
    assetsInlineLimit: Number.MAX_SAFE_INTEGER,
    chunkSizeWarningLimit: 2000,
    rollupOptions: { output: { inlineDynamicImports: true } },
  },
});
