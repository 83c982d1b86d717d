// Fail when a page's first load is larger than web.md §7 allows: `node scripts/budgets.mjs FOLDER`.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const BUDGETS = { student: { js: 185, css: 20 }, staff: { js: 245, css: 40 } }; // kB, compressed
const folder = process.argv[2];

/** Files that a module needs before it can run: its own and those of its static imports. */
function closure(manifest, key, found = new Set()) {
  const { file, css = [], imports = [] } = manifest[key];
  for (const name of [file, ...css]) found.add(name);
  for (const next of imports) if (!found.has(manifest[next].file)) closure(manifest, next, found);
  return found;
}

/** The largest first load: the application with the page that needs most. */
function firstLoad(application) {
  const base = application === "staff" ? join(folder, "staff") : folder;
  const manifest = JSON.parse(readFileSync(join(base, ".vite/manifest.json"), "utf8"));
  const size = (name) => gzipSync(readFileSync(join(base, name))).length / 1000;
  const total = (files, kind) => [...files].filter((name) => name.endsWith(kind)).reduce((sum, name) => sum + size(name), 0);
  const keys = Object.keys(manifest);
  const entry = keys.find((key) => manifest[key].isEntry);
  const pages = keys.filter((key) => key.startsWith("src/features/"));
  const start = ["src/main.tsx", entry];
  const loads = pages.map((page) => [page, ...start].reduce((found, key) => closure(manifest, key, found), new Set()));
  return { js: Math.max(...loads.map((files) => total(files, ".js"))), css: Math.max(...loads.map((files) => total(files, ".css"))) };
}

let failed = false;
for (const [application, budget] of Object.entries(BUDGETS)) {
  const found = firstLoad(application);
  for (const kind of ["js", "css"]) {
    const over = found[kind] > budget[kind];
    failed ||= over;
    process.stdout.write(`${over ? "OVER" : "ok  "} ${application} ${kind}: ${found[kind].toFixed(1)} of ${budget[kind]} kB\n`);
  }
}
process.exit(failed ? 1 : 0);
