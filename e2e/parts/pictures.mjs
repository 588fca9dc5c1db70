// Pages as people see them: nobody is shut out, and pictures to look at.
import assert from "node:assert/strict";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { audit, settled } from "../browser.mjs";
import { logIn } from "./console.mjs";

const SHOTS = fileURLToPath(new URL("../screenshots/", import.meta.url));
const IMAGES = fileURLToPath(new URL("../../docs/images/", import.meta.url));
/** What a picture in the documentation may weigh. */
const IMAGE_BYTES_MAX = 300 * 1024;
const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
const THEMES = ["light", "dark"];

const first = (list) => async (page) => (await (await page.request.get(`/v1/${list}`)).json()).data[0];
const SITE = [
  { name: "home", path: "/" },
  { name: "ask", path: "/ask?q=Which+databases+does+Rajkumar+know%3F" },
  { name: "systems", path: "/systems" },
  { name: "system", path: "/systems/forms" },
  { name: "design", path: "/design/payments" },
  { name: "experience", path: "/experience" },
  { name: "note", path: "/notes/payment-idempotency" },
  { name: "cv", path: "/cv" },
  { name: "contact", path: "/contact" },
  { name: "docs", path: "/docs" },
  { name: "not-found", path: "/nothing-here" },
];
const CONSOLE = [
  { name: "overview", path: "/" },
  { name: "inbox", path: "/inbox" },
  { name: "submissions", path: "/submissions" },
  { name: "submission", path: async (page) => `/submissions/${(await first("submissions")(page)).id}` },
  { name: "trace", path: async (page) => `/traces/${(await first("submissions")(page)).trace_id}` },
  { name: "conversations", path: "/conversations" },
  { name: "mails", path: "/mails" },
  { name: "mail", path: async (page) => `/mails/${(await first("mails")(page)).id}` },
  { name: "jobs", path: "/jobs" },
  { name: "events", path: "/events" },
  { name: "requests", path: "/requests" },
  { name: "keys", path: "/keys" },
  { name: "members", path: "/members" },
  { name: "settings", path: "/settings" },
];
/** What the README shows. */
const README = ["site-home-desktop-light", "console-overview-desktop-light", "console-trace-desktop-dark", "site-home-phone-dark"];

async function visit(page, kind, screen) {
  const path = typeof screen.path === "function" ? await screen.path(page) : screen.path;
  await page.goto(kind === "console" ? `/console${path}` : path);
  await page.waitForLoadState("networkidle");
  await settled(page);
}

async function everyScreen(world, kind, screens) {
  mkdirSync(SHOTS, { recursive: true });
  const barriers = [];
  for (const theme of THEMES) {
    for (const [size, viewport] of Object.entries(SIZES)) {
      const context = await world.watch.context({ viewport, colorScheme: theme, reducedMotion: "reduce", bypassCSP: true, deviceScaleFactor: size === "phone" ? 2 : 1 });
      const page = await context.newPage();
      if (kind === "console") await logIn(page);
      for (const screen of screens) {
        await visit(page, kind, screen);
        const name = `${kind}-${screen.name}-${size}-${theme}`;
        await page.screenshot({ path: `${SHOTS}${name}.png` });
        for (const violation of await audit(page)) barriers.push(`${name}: ${violation}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (wide > 0) barriers.push(`${name}: scrolls sideways by ${wide} px`);
        if (world.update && README.includes(name)) await keepImage(page, name);
      }
      await context.close();
    }
  }
  assert.deepEqual(barriers, []);
}

/** PNG where it is small enough; a palette is not worth another dependency. */
async function keepImage(page, name) {
  mkdirSync(IMAGES, { recursive: true });
  const path = `${IMAGES}${name}.png`;
  writeFileSync(path, await page.screenshot({ scale: "css" }));
  assert.ok(statSync(path).size < IMAGE_BYTES_MAX, `${path} has ${statSync(path).size} bytes`);
}

export const tests = {
  async "the site shuts nobody out, at two sizes in both themes"(world) {
    world.watch.expect(/status of 404 .*\/nothing-here/);
    await everyScreen(world, "site", SITE);
  },

  async "the console shuts nobody out, at two sizes in both themes"(world) {
    await everyScreen(world, "console", CONSOLE);
  },
};
