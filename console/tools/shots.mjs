// Pictures of every screen at two widths in both themes, and an accessibility audit of each: for people to look at, and for CI to fail on.
// usage: node tools/shots.mjs [--only=name,name] [--no-audit] [--out=shots] [--widths=1440,380] [--themes=light,dark] [--dist=dist]
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { preview } from "vite";

process.env.PLINTH_MOCK = "1";
process.env.PLINTH_MOCK_EVERY_MS ??= "3600000";
const option = (name, fallback) => process.argv.find((a) => a.startsWith(`--${name}=`))?.split("=")[1] ?? fallback;
const only = option("only", "").split(",").filter(Boolean);
const out = option("out", fileURLToPath(new URL("../shots", import.meta.url)));
const audit = !process.argv.includes("--no-audit");
const widths = option("widths", "1440,380").split(",").map(Number);
const themes = option("themes", "light,dark").split(",");
const HEIGHTS = { 1440: 900, 380: 780 };

const first = (list, suffix = "") => async (page, base) => {
  const body = await (await page.request.get(`${base}/v1/${list}`)).json();
  return body.data[0][suffix || "id"];
};
const at = (list, index, key = "id") => async (page, base) => (await (await page.request.get(`${base}/v1/${list}`)).json()).data[index][key];

const SCREENS = [
  { name: "login", path: "/login", state: "anonymous" },
  { name: "setup", path: "/#setup=first-run-token", state: "fresh" },
  { name: "invite", path: "/#invite=one-time-token", state: "anonymous" },
  { name: "overview", path: "/", settle: 2600 },
  { name: "inbox", path: "/inbox" },
  { name: "inbox-item", path: "/inbox/{id}", id: first("inbox") },
  { name: "submissions", path: "/submissions" },
  { name: "submission", path: "/submissions/{id}", id: at("submissions", 1) },
  { name: "forms", path: "/forms" },
  { name: "forms-new", path: "/forms?new=true" },
  { name: "form", path: "/forms/{id}", id: first("forms") },
  { name: "form-edit", path: "/forms/{id}/edit", id: first("forms") },
  { name: "conversations", path: "/conversations" },
  { name: "conversation", path: "/conversations/{id}", id: first("assistant/conversations") },
  { name: "workflows", path: "/workflows" },
  { name: "workflows-new", path: "/workflows?new=true" },
  { name: "workflow", path: "/workflows/{id}", id: first("workflows") },
  { name: "workflow-delete", path: "/workflows/{id}", id: first("workflows"), act: (page) => page.getByRole("button", { name: "Delete workflow" }).click() },
  { name: "workflow-edit", path: "/workflows/{id}/edit", id: first("workflows") },
  {
    name: "workflow-refused",
    path: "/workflows/{id}/edit",
    id: first("workflows"),
    act: async (page) => {
      const area = page.getByLabel("Trigger and steps");
      await area.fill((await area.inputValue()).replace("forms.submission.completed", "notify.mail.sent").replace('"mail_team"', '"tell_team"'));
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByRole("button", { name: /steps\/1\/id/ }).click();
    },
  },
  { name: "notifications", path: "/notifications" },
  { name: "notification", path: "/notifications/{id}", id: first("notifications?state=failed") },
  { name: "mails", path: "/mails" },
  { name: "mail", path: "/mails/{id}", id: first("mails") },
  { name: "mail-raw", path: "/mails/{id}?view=raw", id: first("mails") },
  { name: "events", path: "/events" },
  { name: "event", path: "/events/{id}", id: first("events") },
  { name: "jobs", path: "/jobs" },
  { name: "jobs-dead", path: "/jobs?state=dead", act: (page) => page.locator("tbody input[type=checkbox]").first().check() },
  { name: "job", path: "/jobs/{id}", id: first("jobs?state=dead") },
  { name: "traces", path: "/traces" },
  { name: "trace", path: "/traces/{id}", id: at("submissions", 4, "trace_id") },
  { name: "trace-retry", path: "/traces/{id}", id: at("submissions", 1, "trace_id") },
  { name: "trace-dead", path: "/traces/{id}", id: at("submissions", 3, "trace_id"), act: (page) => page.locator("[role=treeitem]").nth(9).click() },
  { name: "trace-open", path: "/traces/{id}", id: at("submissions", 0, "trace_id") },
  { name: "requests", path: "/requests" },
  { name: "request", path: "/requests/{id}", id: first("requests?status=4xx") },
  { name: "keys", path: "/keys" },
  { name: "keys-new", path: "/keys?new=true" },
  {
    name: "keys-made",
    path: "/keys?new=true",
    act: async (page) => {
      await page.getByLabel("Name").fill("Reporting");
      await page.getByRole("button", { name: "Only read" }).click();
      await page.getByRole("button", { name: "Create key" }).click();
    },
  },
  { name: "members", path: "/members" },
  {
    name: "members-invited",
    path: "/members?new=true",
    act: async (page) => {
      await page.getByLabel("E-mail").fill("mei@northwind.example");
      await page.getByRole("button", { name: "Make the link" }).click();
    },
  },
  { name: "audit", path: "/audit" },
  { name: "settings", path: "/settings" },
  { name: "palette", path: "/submissions", act: async (page) => { await page.keyboard.press("Control+k"); await page.keyboard.type("re"); } },
  { name: "shortcuts", path: "/submissions", act: (page) => page.keyboard.press("?") },
  { name: "menu", path: "/submissions", act: async (page) => { const menu = page.getByRole("button", { name: "Menu", exact: true }); if (await menu.isVisible()) await menu.click(); else await page.getByRole("button", { name: /Switch tenant/ }).click(); } },
  { name: "empty-overview", path: "/", state: "empty", settle: 1200 },
  { name: "empty-submissions", path: "/submissions", state: "empty" },
  { name: "empty-inbox", path: "/inbox", state: "empty" },
  { name: "empty-jobs", path: "/jobs?state=dead", state: "empty" },
  { name: "empty-workflows", path: "/workflows", state: "empty" },
  { name: "empty-members", path: "/members", state: "empty" },
  { name: "empty-keys", path: "/keys", state: "empty" },
  { name: "loading-submissions", path: "/submissions", state: "slow" },
  { name: "loading-workflow", path: "/workflows/wf_01k00000000000000000000000", state: "slow" },
  { name: "loading-overview", path: "/", state: "slow" },
  { name: "error-requests", path: "/requests", state: "error", settle: 4000 },
  { name: "error-workflows", path: "/workflows", state: "error", settle: 4000 },
  { name: "error-overview", path: "/", state: "error", settle: 4000 },
  { name: "not-found", path: "/jobs/job_01k00000000000000000000000" },
];

mkdirSync(out, { recursive: true });
const server = await preview({ configFile: fileURLToPath(new URL("../vite.config.ts", import.meta.url)), root: fileURLToPath(new URL("..", import.meta.url)), build: { outDir: option("dist", "dist") }, preview: { port: 0, host: "127.0.0.1" }, logLevel: "warn" });
const base = `http://127.0.0.1:${server.httpServer.address().port}`;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });

let problems = 0;
for (const width of widths) {
  for (const theme of themes) {
    const context = await browser.newContext({ viewport: { width, height: HEIGHTS[width] ?? 900 }, colorScheme: theme, deviceScaleFactor: 1, reducedMotion: "reduce", bypassCSP: audit });
    for (const screen of SCREENS) {
      if (only.length > 0 && !only.includes(screen.name)) continue;
      const page = await context.newPage();
      const said = [];
      page.on("console", (message) => message.type() === "error" && !/status of (40[14]|422|503)/.test(message.text()) && said.push(message.text()));
      page.on("pageerror", (error) => said.push(String(error)));
      await context.clearCookies();
      if (screen.state) await context.addCookies([{ name: "mock_state", value: screen.state, url: base }]);
      const id = screen.id ? await screen.id(page, base) : "";
      await page.goto(`${base}/console${screen.path.replace("{id}", id)}`);
      await page.waitForLoadState(screen.state === "slow" ? "load" : "networkidle").catch(() => {});
      await page.waitForTimeout(screen.settle ?? 250);
      if (screen.act) {
        await screen.act(page);
        await page.waitForTimeout(350);
      }
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) said.push(`scrolls sideways by ${wide} px`);
      await page.screenshot({ path: `${out}/${screen.name}-${width}-${theme}.png`, fullPage: width < 600 && !screen.act });
      if (audit) {
        await page.evaluate(axe);
        const result = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
        for (const violation of result.violations) said.push(`${violation.id}: ${violation.help} — ${violation.nodes.slice(0, 3).map((n) => `${n.target.join(" ")} ${n.any[0]?.message ?? ""}`).join(" | ")} (${violation.nodes.length})`);
      }
      if (said.length > 0) {
        problems += said.length;
        console.log(`${screen.name} ${width} ${theme}\n  ${[...new Set(said)].join("\n  ")}`);
      }
      await page.close();
    }
    await context.close();
  }
}
await browser.close();
await server.close();
console.log(problems === 0 ? "every screen is clean" : `${problems} problems`);
process.exit(problems === 0 ? 0 : 1);
