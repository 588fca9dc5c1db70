// Runs the parts in order: each leaves the server as its users would, and the next goes on from there.
import { openBrowser, Watch } from "./browser.mjs";
import { startServer } from "./server.mjs";
import * as site from "./parts/site.mjs";
import * as assistant from "./parts/assistant.mjs";
import * as contact from "./parts/contact.mjs";
import * as team from "./parts/console.mjs";
import * as api from "./parts/api.mjs";
import * as pictures from "./parts/pictures.mjs";

const names = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const update = process.argv.includes("--update-images");

const server = await startServer(process.env.PLINTH_BIN);
const browser = await openBrowser();
const watch = new Watch(browser, server.base);
/** What one part leaves for the next. */
const world = { server, browser, watch, base: server.base, update };
let [passed, failed] = [0, 0];

for (const part of [site, assistant, contact, team, api, pictures]) {
  for (const [name, run] of Object.entries(part.tests)) {
    // What others stand on runs always.
    if (names.length && !names.some((word) => name.includes(word)) && !part.needed?.includes(name)) continue;
    const began = Date.now();
    try {
      await run(world);
      const faults = watch.takeFaults();
      if (faults.length) throw new Error([...new Set(faults)].join("\n"));
      passed += 1;
      console.log(`ok      ${name} (${Date.now() - began} ms)`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}\n${String(error.stack ?? error).replaceAll(/^/gm, "        ")}`);
      watch.takeFaults();
    }
  }
}

await browser.close();
const code = await server.stop();
if (code === 0) passed += 1;
else {
  failed += 1;
  console.log(`FAILED  the server ends in order: exit code ${code}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
