// The site, as a reader finds it.
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";

/** What a page may cost to load, islands and fonts included, in bytes on the wire. */
const PAGE_BYTES_MAX = 100 * 1024;
const PAGES = ["/", "/systems", "/systems/forms", "/design", "/experience", "/notes", "/cv", "/contact", "/ask"];

export const tests = {
  async "every page of the site opens, with its parts"({ watch }) {
    const context = await watch.context();
    const page = await context.newPage();
    for (const path of PAGES) {
      const answer = await page.goto(path);
      assert.equal(answer.status(), 200, path);
      assert.equal(await page.locator("h1").count(), 1, `${path} has one heading of the first level`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(wide, 0, `${path} scrolls sideways`);
    }
    await context.close();
  },

  async "every link within the site leads somewhere, anchors included"({ watch }) {
    const context = await watch.context();
    const page = await context.newPage();
    const [seen, todo, broken] = [new Set(), ["/"], []];
    while (todo.length) {
      const path = todo.pop();
      if (seen.has(path)) continue;
      seen.add(path);
      const answer = await page.request.get(path);
      if (answer.status() !== 200) {
        broken.push(`${path}: ${answer.status()}`);
        continue;
      }
      if (!answer.headers()["content-type"]?.startsWith("text/html") || /^\/(console|docs)/.test(path)) continue;
      const html = await answer.text();
      const ids = new Set([...html.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id));
      for (const [, href] of html.matchAll(/<a\s[^>]*href="([^"]+)"/g)) {
        const url = new URL(href.replaceAll("&amp;", "&"), new URL(path, watch.base));
        if (url.origin !== watch.base) continue;
        if (url.pathname === path.split("?")[0] && url.hash && !ids.has(decodeURIComponent(url.hash.slice(1)))) broken.push(`${path} → ${url.hash}`);
        if (!url.search) todo.push(url.pathname);
      }
    }
    assert.deepEqual(broken, []);
    assert.ok(seen.size > 15, `only ${seen.size} pages were found`);
    await context.close();
  },

  async "a page costs less than 100 KB, and moves nothing while it loads"({ watch }) {
    for (const viewport of [{ width: 1280, height: 800 }, { width: 390, height: 844 }]) {
      for (const path of PAGES) {
        // A context of its own: nothing is in the cache.
        const context = await watch.context({ viewport });
        const page = await context.newPage();
        const session = await context.newCDPSession(page);
        let bytes = 0;
        await session.send("Network.enable");
        session.on("Network.loadingFinished", (event) => (bytes += event.encodedDataLength));
        await page.addInitScript(() => {
          window.shift = 0;
          new PerformanceObserver((list) => list.getEntries().forEach((entry) => (window.shift += entry.hadRecentInput ? 0 : entry.value))).observe({ type: "layout-shift", buffered: true });
        });
        await page.goto(path, { waitUntil: "networkidle" });
        assert.ok(bytes < PAGE_BYTES_MAX, `${path} costs ${bytes} bytes`);
        const shift = await page.evaluate(() => window.shift);
        assert.ok(shift < 0.01, `${path} at ${viewport.width} px moves by ${shift}`);
        await context.close();
      }
    }
  },

  async "the theme follows the system, and the reader's choice outlives a reload"({ watch }) {
    const context = await watch.context({ colorScheme: "dark" });
    const page = await context.newPage();
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.goto("/");
    const dark = await ground();
    await page.locator("[data-theme-toggle]").click();
    const light = await ground();
    assert.notEqual(light, dark);
    await page.goto("/systems");
    assert.equal(await ground(), light);
    await context.close();
  },

  async "the site is whole without JavaScript"({ watch }) {
    const context = await watch.context({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto("/ask?q=Which+databases+does+Rajkumar+know%3F");
    await page.locator(".turn .a").filter({ hasText: "PostgreSQL" }).waitFor();
    assert.ok((await page.locator(".sources a").count()) > 0);
    assert.equal(await page.locator("[data-theme-toggle]").isVisible(), false, "a button that can do nothing is not shown");
    await context.close();
  },
};
