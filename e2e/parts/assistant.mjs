// The assistant: words arrive while they are written, and each has a source.
import assert from "node:assert/strict";

const QUESTION = "Which databases does Rajkumar know?";
/** Slow enough for a person to read along and to press Stop. */
const SLOW_BYTES_PER_SECOND = 600;

/** Notes every length that the answer has on the screen. */
function noteGrowth() {
  window.lengths = [];
  addEventListener("DOMContentLoaded", () => {
    const log = document.querySelector("[data-log]");
    if (!log) return;
    new MutationObserver(() => {
      const answer = [...log.querySelectorAll(".turn:not([data-example]) .a")].at(-1);
      const length = answer?.textContent.length ?? 0;
      if (length && window.lengths.at(-1) !== length) window.lengths.push(length);
    }).observe(log, { childList: true, subtree: true, characterData: true });
  });
}

async function slowDown(context, page) {
  const session = await context.newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: SLOW_BYTES_PER_SECOND, uploadThroughput: -1 });
  return () => session.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
}

async function ask(page, question) {
  await page.getByLabel("Your question").fill(question);
  await page.getByRole("button", { name: "Ask", exact: true }).click();
}

export const tests = {
  async "an answer arrives word by word and ends with its sources"({ watch }) {
    const context = await watch.context();
    const page = await context.newPage();
    await page.addInitScript(noteGrowth);
    await page.goto("/");
    const atOnce = await slowDown(context, page);
    await ask(page, QUESTION);
    await page.getByRole("button", { name: "Stop" }).waitFor();
    const turn = page.locator(".turn").last();
    await turn.locator(".turn-tools").waitFor({ timeout: 30_000 });
    await atOnce();
    const lengths = await page.evaluate(() => window.lengths);
    assert.ok(lengths.length >= 2, `the text stood at once: ${lengths}`);
    assert.deepEqual(lengths, [...lengths].sort((a, b) => a - b), "text never shrinks");
    assert.match(await turn.locator(".a").innerText(), /PostgreSQL/);
    assert.equal(await page.locator("[data-status]").textContent().then((text) => /Answer ready, \d sources?/.test(text)), true);

    // Every citation leads to a passage that exists, and the passage says what is cited.
    const sources = await turn.locator(".sources a").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
    assert.ok(sources.length > 0);
    for (const href of sources) {
      const url = new URL(href, watch.base);
      await page.goto(url.pathname + url.hash);
      const passage = page.locator(`[id="${decodeURIComponent(url.hash.slice(1))}"]`);
      assert.equal(await passage.count(), 1, href);
      assert.ok(await passage.isVisible(), href);
    }
    await context.close();
  },

  async "the stream is made of server-sent events, and says when it is over"({ base }) {
    const answer = await fetch(`${base}/v1/assistant/chat`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream", origin: base },
      body: JSON.stringify({ id: "frames", message: QUESTION }),
    });
    assert.match(answer.headers.get("content-type"), /^text\/event-stream/);
    const text = await answer.text();
    const frames = [...text.matchAll(/^data: (.+)$/gm)].map(([, data]) => data);
    assert.equal(frames.pop(), "[DONE]");
    const kinds = frames.map((data) => JSON.parse(data).type);
    assert.equal(kinds[0], "start");
    assert.equal(kinds.at(-1), "finish");
    assert.ok(kinds.filter((kind) => kind === "text-delta").length > 1);
    assert.ok(kinds.includes("source-url") && kinds.includes("data-citation"));
  },

  async "an answer can be stopped and asked for again"({ watch }) {
    const context = await watch.context();
    const page = await context.newPage();
    await page.goto("/ask");
    const atOnce = await slowDown(context, page);
    await ask(page, QUESTION);
    const stopped = page.locator(".turn").last();
    await stopped.locator(".a:not(:empty)").waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await stopped.getByText("Stopped.").waitFor();
    await atOnce();
    await stopped.getByRole("button", { name: "Try again" }).click();
    await page.locator(".turn").last().locator(".sources a").first().waitFor();
    assert.match(await page.locator(".turn").last().locator(".a").innerText(), /PostgreSQL/);

    // A conversation is still there after a reload.
    await page.reload();
    await page.locator(".turn .a").filter({ hasText: "PostgreSQL" }).first().waitFor();
    await context.close();
  },

  async "what the site does not say is not made up"({ watch }) {
    const context = await watch.context();
    const page = await context.newPage();
    await page.goto("/ask");
    await ask(page, "What is the capital of Mongolia?");
    const turn = page.locator(".turn").last();
    await turn.locator(".turn-tools").waitFor();
    assert.equal(await turn.locator(".sources a").count(), 0);
    assert.doesNotMatch(await turn.locator(".a").innerText(), /Ulaan/i);
    await context.close();
  },

  async "the keyboard is enough"({ watch }) {
    const context = await watch.context();
    const page = await context.newPage();
    await page.goto("/ask");
    await page.getByLabel("Your question").focus();
    await page.keyboard.type("Does he know Kubernetes?");
    await page.keyboard.press("Enter");
    await page.locator(".turn .turn-tools").last().waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), "ask-input", "the focus stays where one types");
    await context.close();
  },
};
