// Writes the typed contract from docs/openapi.json: for the console, and for the client that is published from it.
// With --check it only says whether what is committed is what would be written; --from=FILE reads another document.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const from = process.argv.find((a) => a.startsWith("--from="))?.slice(7);
const source = from ? pathToFileURL(from) : new URL("../../docs/openapi.json", import.meta.url);
const targets = [new URL("../src/api/schema.d.ts", import.meta.url), new URL("../../clients/typescript/src/schema.d.ts", import.meta.url)];

if (!existsSync(source)) {
  console.error("docs/openapi.json is missing: write it with `plinth openapi > docs/openapi.json`.");
  process.exit(1);
}
const text = `/* Generated from docs/openapi.json by console/tools/generate.mjs. Change the server, not this file. */\n\n${astToString(await openapiTS(source))}`;
const stale = targets.filter((target) => !existsSync(target) || readFileSync(target, "utf8") !== text);
if (process.argv.includes("--check")) {
  if (stale.length > 0) {
    console.error(`out of date: ${stale.map((t) => fileURLToPath(t)).join(", ")}; run \`npm run generate\` in console/`);
    process.exit(1);
  }
  console.log("the generated types match docs/openapi.json");
} else {
  for (const target of stale) writeFileSync(target, text);
  console.log(stale.length === 0 ? "nothing to do" : `wrote ${stale.length} files`);
}
