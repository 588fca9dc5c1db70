// Walks through the console in a real browser, against the mock: what keys, live updates and dialogs promise, which no unit test sees.
// usage: node tools/walk.mjs [--dist=dist]   (build first)
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { preview } from "vite";

process.env.PLINTH_MOCK = "1";
process.env.PLINTH_MOCK_EVERY_MS = "2500";
const dist = process.argv.find((a) => a.startsWith("--dist="))?.slice(7) ?? "dist";
const root = fileURLToPath(new URL("..", import.meta.url));
const server = await preview({ configFile: `${root}/vite.config.ts`, root, build: { outDir: dist }, preview: { port: 0, host: "127.0.0.1" }, logLevel: "error" });
const base = `http://127.0.0.1:${server.httpServer.address().port}`;
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
context.setDefaultTimeout(10_000);
const page = await context.newPage();
const said = [];
page.on("pageerror", (error) => said.push(String(error)));
page.on("console", (message) => message.type() === "error" && !/status of (401|412|422)/.test(message.text()) && said.push(message.text()));

let failures = 0;
async function promise(name, keep) {
  try {
    await keep();
    console.log(`ok    ${name}`);
  } catch (error) {
    failures += 1;
    console.log(`FAIL  ${name}\n      ${String(error).split("\n").slice(0, 4).join("\n      ")}`);
  }
}
function must(truth, what) {
  if (!truth) throw new Error(what);
}
const list = async (path) => (await (await page.request.get(`${base}/v1/${path}`)).json()).data;
const keys = async (...pressed) => {
  for (const key of pressed) await page.keyboard.press(key);
};
const rows = () => page.locator("[data-row]");
const button = (name, options) => page.getByRole("button", { name, ...options });

await page.goto(`${base}/console/`);
await page.getByText("Needs attention").waitFor();

await promise("says when it is live", () => page.locator("aside").getByText("Live", { exact: true }).waitFor());
await promise("g s goes to submissions", async () => {
  await keys("g", "s");
  await page.waitForURL("**/submissions");
  await page.getByRole("heading", { name: "Submissions", level: 1 }).waitFor();
  await rows().first().waitFor();
});
await promise("j and k walk the rows, Enter opens, u goes back", async () => {
  await keys("j", "j", "k", "Enter");
  await page.waitForURL("**/submissions/sub_*");
  await page.locator("[data-back]").waitFor();
  await keys("u");
  await page.waitForURL(/submissions(\?.*)?$/);
});
await promise("/ searches, and the search is in the address", async () => {
  await rows().first().waitFor();
  await keys("/");
  await page.keyboard.type("Tokyo");
  await page.waitForURL("**q=Tokyo");
  await page.waitForFunction(() => document.querySelectorAll("tbody tr").length < 15);
});
await promise("events arrive on top while one watches", async () => {
  await page.goto(`${base}/console/events`);
  await rows().first().waitFor();
  const first = await rows().first().getAttribute("href");
  await page.waitForFunction((href) => document.querySelector("[data-row]").getAttribute("href") !== href, first);
});
await promise("a paused tail stands still and counts", async () => {
  await button("Pause").click();
  const first = await rows().first().getAttribute("href");
  await button(/Resume \(\d+ new\)/).waitFor();
  must((await rows().first().getAttribute("href")) === first, "the first row moved");
});
await promise("a message arrives in the open inbox and is read by opening it", async () => {
  await page.goto(`${base}/console/inbox`);
  await rows().first().waitFor();
  const before = await rows().count();
  await page.waitForFunction((count) => document.querySelectorAll("[data-row]").length > count, before);
  await rows().first().click();
  await page.waitForURL("**/inbox/inb_*");
  await page.waitForFunction(() => !document.querySelector("a[aria-current=true][data-row]")?.textContent.startsWith("Unread"));
});
await promise("the palette opens whatever id is pasted", async () => {
  const [job] = await list("jobs?state=dead");
  await keys("Control+k");
  await page.keyboard.type(job.id);
  await keys("Enter");
  await page.waitForURL(`**/jobs/${job.id}`);
});
await promise("a dead letter is replayed", async () => {
  await button("Replay").click();
  await page.getByText("Job queued again").waitFor();
});
await promise("chosen rows are replayed together", async () => {
  await page.goto(`${base}/console/jobs?state=dead`);
  await page.locator("tbody input[type=checkbox]").first().check();
  await page.getByRole("toolbar").getByRole("button", { name: /Replay/ }).click();
  await page.getByText("1 job queued again").waitFor();
});
await promise("a form is rearranged with the keyboard, gets a field, is saved and published", async () => {
  const [form] = await list("forms");
  await page.goto(`${base}/console/forms/${form.id}/edit`);
  await page.locator("[data-field]").first().focus();
  await keys("Alt+ArrowDown");
  await page.locator("[data-field]").nth(1).filter({ hasText: "Name" }).waitFor();
  await button("Text", { exact: true }).click();
  await page.getByLabel("Label").fill("Phone number");
  must((await page.getByLabel("Key").inputValue()) === "phone_number", "the key does not follow the label");
  await button("Save draft").click();
  await page.getByText("Draft saved").first().waitFor();
  await button(/Publish/).click();
  await page.waitForURL((url) => /forms\/frm_[^/]+$/.test(url.pathname));
});
await promise("a workflow is made from a template, corrected where the server points, saved, switched and deleted", async () => {
  await page.goto(`${base}/console/`);
  await page.getByText("Needs attention").waitFor();
  await keys("g", "w");
  await page.waitForURL("**/workflows");
  await page.getByRole("heading", { name: "Workflows", level: 1 }).waitFor();
  await rows().first().waitFor();
  await keys("c");
  await page.getByLabel("Name").fill("Tell the desk");
  await page.getByRole("radio", { name: /Mail one address/ }).check();
  await button("Create and edit").click();
  await page.waitForURL("**/workflows/wf_*/edit");
  const area = page.getByLabel("Trigger and steps");
  const good = await area.inputValue();
  await area.fill(`${good},`);
  await button("Save").click();
  await page.getByText("This is not JSON").waitFor();
  await area.fill(good.replace('"mail_desk"', '"mail desk"'));
  await button("Save").click();
  await button(/\/steps\/0\/id/).click();
  must((await area.evaluate((node) => node.value.slice(node.selectionStart, node.selectionEnd))) === '"mail desk"', "the place is not selected");
  await page.keyboard.type('"desk_mail"');
  await button("Save").click();
  await page.waitForURL(/workflows\/wf_\d+$/);
  await page.getByText("desk_mail", { exact: true }).waitFor();
  const enabled = page.getByRole("switch", { name: "Tell the desk enabled" });
  await enabled.focus();
  await keys("Space");
  await page.locator("[role=switch][aria-checked=true]").waitFor();
  await page.getByText("Enabled", { exact: true }).waitFor();
  await button("Delete workflow").click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete workflow" }).click();
  await page.waitForURL(/workflows(\?.*)?$/);
  must(!(await list("workflows")).some((w) => w.name === "Tell the desk"), "it is still there");
});
await promise("somebody else's change of a workflow is refused, not overwritten", async () => {
  const [workflow] = await list("workflows");
  await page.goto(`${base}/console/workflows/${workflow.id}/edit`);
  await page.getByLabel("Name").fill("Mine");
  await page.request.patch(`${base}/v1/workflows/${workflow.id}`, { headers: { "If-Match": `"${workflow.rev}"` }, data: { name: "Theirs" } });
  await button("Save").click();
  await page.getByText("Somebody saved this workflow").waitFor();
  must((await list("workflows"))[0].name === "Theirs", "it was overwritten");
  page.once("dialog", (dialog) => void dialog.accept());
});
await promise("an invitation is made, stands among the open ones, and is revoked", async () => {
  await page.goto(`${base}/console/members?new=true`);
  await page.getByLabel("E-mail").fill("kai@northwind.example");
  await button("Make the link").click();
  await button("Done").click();
  await button("Revoke the invitation of kai@northwind.example").click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await page.getByText("no longer works").waitFor();
  await page.waitForFunction(() => !document.querySelector("table")?.parentElement?.parentElement?.textContent.includes("kai@northwind.example"));
});
await promise("a trace is walked, folded and asked for attributes with the keyboard", async () => {
  const submission = (await list("submissions?limit=5"))[4];
  await page.goto(`${base}/console/traces/${submission.trace_id}`);
  await page.getByRole("treeitem").first().focus();
  await keys("ArrowDown", "ArrowDown", "Enter");
  await page.getByRole("complementary", { name: "Chosen step" }).waitFor();
  must((await page.getByRole("treeitem").count()) > 5, "too few steps");
  await keys("Home", "ArrowLeft");
  await page.waitForFunction(() => document.querySelectorAll("[role=treeitem]").length === 1);
});
await promise("c creates a key, whose text is shown once", async () => {
  await page.goto(`${base}/console/keys`);
  await page.getByText("Billing service").waitFor();
  await keys("c");
  await page.getByLabel("Name").fill("Reports");
  await button("Only read").click();
  await button("Create key").click();
  await page.getByRole("dialog", { name: "Copy the key now" }).waitFor();
});
await promise("a login says what was wrong, and leads back to where one was going", async () => {
  await context.addCookies([{ name: "mock_state", value: "anonymous", url: base }]);
  await page.goto(`${base}/console/jobs`);
  await page.waitForURL("**/login?next=*");
  await page.getByLabel("E-mail").fill("raj@northwind.example");
  await page.getByLabel("Password").fill("wrong");
  await button("Log in").click();
  await page.getByText("No member has this").waitFor();
  await context.clearCookies();
  await page.getByLabel("Password").fill("right");
  await button("Log in").click();
  await page.waitForURL((url) => url.pathname === "/console/jobs");
});
await promise("the first-run link leads through setup to the overview, its token never in a query", async () => {
  await context.addCookies([{ name: "mock_state", value: "fresh", url: base }]);
  await page.goto("about:blank");
  await page.goto(`${base}/console/#setup=one-time`);
  await page.waitForURL("**/setup#setup=one-time");
  for (const [label, text] of [["Organisation", "Acme"], ["Your name", "Ada"], ["E-mail", "ada@acme.example"], ["Password", "a long enough one"]]) await page.getByLabel(label).fill(text);
  await context.clearCookies();
  await button("Create the owner").click();
  await page.waitForURL((url) => url.pathname === "/console/" && url.hash === "");
});

if (said.length > 0) console.log(`the page complained:\n  ${[...new Set(said)].join("\n  ")}`);
await browser.close();
await server.close();
process.exit(failures === 0 && said.length === 0 ? 0 : 1);
