// A browser whose every page is watched: nothing leaves the server's origin, nothing complains, everybody can use it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const ARGUMENTS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Severities that fail the test. */
const GRAVE = ["serious", "critical"];

export async function openBrowser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ARGUMENTS });
}

/** Contexts of one browser on one server, and what went wrong in any of them. */
export class Watch {
  constructor(browser, base) {
    Object.assign(this, { browser, base, faults: [], expected: [] });
  }

  /** Console messages that match are part of what is tested, for example a refused login. */
  expect(pattern) {
    this.expected.push(pattern);
  }

  async context(options = {}) {
    const context = await this.browser.newContext({ baseURL: this.base, viewport: { width: 1280, height: 800 }, locale: "en-GB", ...options });
    context.setDefaultTimeout(15_000);
    context.on("page", (page) => this.#watch(page));
    return context;
  }

  #watch(page) {
    const origin = new URL(this.base);
    const note = (what) => this.faults.push(`${page.url()}: ${what}`);
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (["data:", "blob:"].includes(url.protocol)) return;
      if (url.host !== origin.host) note(`a request to ${url.origin}`);
    });
    page.on("websocket", (socket) => {
      if (new URL(socket.url()).host !== origin.host) note(`a socket to ${socket.url()}`);
    });
    page.on("pageerror", (error) => note(`an error: ${error.stack ?? error}`));
    page.on("console", (message) => {
      if (message.type() !== "error") return;
      const text = `${message.text()} ${message.location().url}`;
      if (!this.expected.some((pattern) => pattern.test(text))) note(`the console says: ${text}`);
    });
  }

  /** Hands out what was seen since the last call. */
  takeFaults() {
    return this.faults.splice(0);
  }
}

/** What keeps somebody from using the page, as axe-core sees it. */
export async function audit(page) {
  await settled(page);
  // In the page's own world a strict policy refuses what is injected as a script; evaluating is not bound by it.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return violations
    .filter((violation) => GRAVE.includes(violation.impact))
    .map((violation) => `${violation.id}: ${violation.help} (${violation.nodes.map((node) => node.target.join(" ")).slice(0, 4).join(", ")})`);
}

/** Waits until nothing moves any more: colours in the middle of a transition are nobody's contrast. */
export async function settled(page) {
  await page.evaluate(() => document.fonts.ready);
  await page.waitForFunction(() => document.getAnimations().every((animation) => animation.playState !== "running" || animation.effect?.getTiming().iterations === Infinity));
}
