// What a first visit downloads before it can show the overview, compressed as it is served. Over the budget, the build fails.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET_BYTES = 250 * 1024;
const dist = new URL("../dist/", import.meta.url);
const page = readFileSync(new URL("index.html", dist), "utf8");
const wanted = [...page.matchAll(/(?:src|href)="\/console\/([^"]+\.js)"/g)].map((m) => m[1]);
const seen = new Set();
const visit = (file) => {
  if (seen.has(file)) return;
  seen.add(file);
  // Static imports only: what is imported when it is needed is not part of the first load.
  const code = readFileSync(new URL(file, dist), "utf8");
  for (const match of code.matchAll(/(?:^|[;}\n])import(?:[^"'()]*?from)?["']\.\/([^"']+)["']/g)) visit(`assets/${match[1]}`);
};
wanted.forEach(visit);
const sizes = [...seen].map((file) => [file, gzipSync(readFileSync(new URL(file, dist))).length]);
const total = sizes.reduce((sum, [, size]) => sum + size, 0);
for (const [file, size] of sizes) console.log(`${(size / 1024).toFixed(1).padStart(8)} kB  ${file}`);
console.log(`${(total / 1024).toFixed(1).padStart(8)} kB  initial JavaScript, gzip (budget ${BUDGET_BYTES / 1024} kB)`);
process.exit(total > BUDGET_BYTES ? 1 : 0);
