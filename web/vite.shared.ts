// Settings of both applications' builds.
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { constants, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import type { Plugin, UserConfig } from "vite";

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

export function settings(base: string): UserConfig {
  return {
    base,
    plugins: [react(), precompressed()],
    build: { target: "es2023", cssTarget: "chrome120", emptyOutDir: true, modulePreload: { polyfill: false }, manifest: true },
    server: { proxy: { "/api": { target: "http://127.0.0.1:8080", ws: true } } },
  };
}
