// Settings of both applications' builds.
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { constants, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import type { HtmlTagDescriptor, Plugin, UserConfig } from "vite";

const COMPRESSED = /\.(?:html|js|css|svg|webmanifest|wasm)$/;

/** Write `file.gz` beside each file, for Nginx's gzip_static. */
function compress(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) compress(path);
    else if (COMPRESSED.test(name))
      writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: constants.Z_BEST_COMPRESSION }));
  }
}

function precompressed(): Plugin {
  let folder = "";
  return {
    name: "luna-precompressed",
    apply: "build",
    enforce: "post",
    configResolved: (config) => {
      folder = config.build.outDir;
    },
    closeBundle: { order: "post", sequential: true, handler: () => compress(folder) },
  };
}

/** Let the browser fetch the application's code while the first script runs. */
function preloadMain(base: string): Plugin {
  return {
    name: "luna-preload-main",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler: (html, { bundle = {} }) => {
        const files = new Set<string>();
        const add = (name: string) => {
          const chunk = bundle[name];
          if (files.has(name) || chunk?.type !== "chunk") return;
          files.add(name);
          chunk.imports.forEach(add);
        };
        for (const chunk of Object.values(bundle)) if (chunk.type === "chunk" && chunk.facadeModuleId?.endsWith("/src/main.tsx")) add(chunk.fileName);
        const missing = [...files].filter((name) => !html.includes(name));
        const tags = missing.map((name) => ({ tag: "link", injectTo: "head", attrs: { rel: "modulepreload", crossorigin: true, href: base + name } }) as HtmlTagDescriptor);
        return { html: html.replace('<script async ', '<script async fetchpriority="high" '), tags };
      },
    },
  };
}

/** What every page needs and an update of the pages rarely changes: one file, not a request for each. */
const VENDOR = /node_modules[\\/](?:react|react-dom|scheduler|@tanstack|i18next|react-i18next|html-parse-stringify|void-elements|use-sync-external-store|openapi-fetch)[\\/]/;

export function settings(base: string): UserConfig {
  return {
    base,
    plugins: [react(), preloadMain(base), precompressed()],
    build: { target: "es2023", cssTarget: "chrome120", emptyOutDir: true, modulePreload: { polyfill: false }, manifest: true, rolldownOptions: { output: { codeSplitting: { groups: [{ name: "vendor", test: VENDOR }] } } } },
    server: { proxy: { "/api": { target: "http://127.0.0.1:8080", ws: true } } },
  };
}
