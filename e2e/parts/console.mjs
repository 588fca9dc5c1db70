// The console: set up, leave, come back, and watch what happens while it happens.
import assert from "node:assert/strict";
import { send } from "./contact.mjs";

export const OWNER = { email: "owner@example.org", password: "correct horse battery staple", name: "Grace Hopper", organisation: "Analytical Engines" };

/** Live means: before anybody would think of reloading. */
const LIVE_MS_MAX = 3_000;

export async function logIn(page) {
  await page.goto("/console/login");
  await page.getByLabel("E-mail").fill(OWNER.email);
  await page.getByLabel("Password").fill(OWNER.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await heading(page, "Overview");
}

export async function heading(page, name) {
  await page.getByRole("heading", { level: 1, name, exact: true }).first().waitFor();
}

/** A row of a list, by what its link says. */
const row = (page, name) => page.locator("tbody tr").filter({ hasText: name }).first();

export const needed = ["the printed link makes the first owner"];

export const tests = {
  async "the printed link makes the first owner"({ watch, server }) {
    watch.expect(/status of 401 .*\/v1\/session/);
    const context = await watch.context();
    const page = await context.newPage();
    await page.goto(server.setupLink);
    await heading(page, "Set up Plinth");
    await page.getByLabel("Organisation").fill(OWNER.organisation);
    await page.getByLabel("Your name").fill(OWNER.name);
    await page.getByLabel("E-mail").fill(OWNER.email);
    await page.getByLabel("Password").fill(OWNER.password);
    await page.getByRole("button", { name: "Create the owner" }).click();
    await heading(page, "Overview");

    // It worked once.
    const other = await (await watch.context()).newPage();
    await other.goto(server.setupLink);
    await other.getByText("This Plinth is set up").waitFor();
    await other.context().close();
    await context.close();
  },

  async "one logs out and in again, and a wrong password is refused"({ watch }) {
    const context = await watch.context();
    const page = await context.newPage();
    await logIn(page);
    await page.getByRole("button", { name: OWNER.name }).first().click();
    await page.getByRole("menuitem", { name: "Log out" }).click();
    await heading(page, "Log in");
    await page.goto("/console/submissions");
    await heading(page, "Log in");
    await page.getByLabel("E-mail").fill(OWNER.email);
    await page.getByLabel("Password").fill("not the password");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("alert").waitFor();
    await page.getByLabel("Password").fill(OWNER.password);
    await page.getByRole("button", { name: "Log in" }).click();
    await heading(page, "Submissions");
    await context.close();
  },

  async "a message from the site appears in the console while it is open"({ watch }) {
    const context = await watch.context();
    const [submissions, inbox, overview] = [await context.newPage(), await context.newPage(), await context.newPage()];
    await logIn(submissions);
    await submissions.goto("/console/submissions");
    await inbox.goto("/console/inbox");
    await overview.goto("/console/");
    await row(submissions, "Charles Babbage").waitFor();
    await inbox.getByRole("heading", { level: 1, name: "Inbox" }).waitFor();
    for (const page of [submissions, inbox, overview]) await page.waitForLoadState("networkidle");

    const visitor = await watch.context();
    await send(await visitor.newPage(), { name: "Mary Somerville" });
    const sentAt = Date.now();
    await row(submissions, "Mary Somerville").waitFor({ timeout: LIVE_MS_MAX });
    await inbox.getByText("Mary Somerville wrote through Contact").first().waitFor({ timeout: LIVE_MS_MAX });
    await overview.getByText("Mary Somerville").first().waitFor({ timeout: LIVE_MS_MAX });
    console.log(`        live after ${Date.now() - sentAt} ms`);
    await visitor.close();
    await context.close();
  },

  async "a submission's trace leads from the request to the attempt"({ watch }) {
    const context = await watch.context();
    const page = await context.newPage();
    await logIn(page);
    await page.goto("/console/submissions");
    await row(page, "Mary Somerville").click();
    await page.getByText("We weave algebraic patterns").first().waitFor();
    await page.getByRole("main").getByRole("link", { name: "Trace", exact: true }).first().click();
    const tree = page.getByRole("tree", { name: "Steps of the trace" });
    await tree.waitFor();
    const kinds = await tree.getByRole("treeitem").evaluateAll((items) => items.map((item) => [item.querySelector(".sr-only").textContent.trim(), Number(item.ariaLevel)]));
    for (const kind of ["Request", "Event", "Consumer", "Job", "Attempt"]) assert.ok(kinds.some(([name]) => name === kind), `${kind} is missing in ${JSON.stringify(kinds)}`);
    const level = (kind) => kinds.find(([name]) => name === kind)[1];
    assert.ok(level("Request") < level("Event") && level("Event") < level("Consumer") && level("Consumer") < level("Job") && level("Job") < level("Attempt"), JSON.stringify(kinds));

    // The tree is walked and opened with the keyboard.
    await tree.getByRole("treeitem").first().focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByRole("complementary", { name: "Chosen step" }).waitFor();
    await context.close();
  },

  async "the mail that would have left is in the outbox"({ watch }) {
    const context = await watch.context();
    const page = await context.newPage();
    await logIn(page);
    await page.goto("/console/mails");
    await row(page, "New message from Mary Somerville").click();
    await heading(page, "New message from Mary Somerville");
    await page.getByRole("region", { name: "Mail" }).getByText("algebraic patterns").waitFor();
    await page.getByText("Source", { exact: true }).click();
    await page.getByText("Message-ID").first().waitFor();
    await context.close();
  },

  async "every screen opens"({ watch }) {
    const context = await watch.context();
    const page = await context.newPage();
    await logIn(page);
    const screens = ["Overview", "Inbox", "Submissions", "Forms", "Conversations", "Notifications", "Mails", "Events", "Jobs", "Traces", "Requests", "API keys", "Members", "Audit log", "Settings"];
    for (const name of screens) {
      await page.getByRole("navigation").getByRole("link", { name: new RegExp(`^${name}`) }).first().click();
      await page.getByRole("heading", { level: 1, name }).waitFor();
      await page.waitForLoadState("networkidle");
      assert.equal(await page.getByRole("button", { name: /try again|retry/i }).count(), 0, `${name} shows an error`);
    }
    await page.goto("/console/jobs");
    await row(page, "notify.send_email").click();
    await page.getByText("Done").first().waitFor();
    await context.close();
  },

  async "what a robot sent is shown to nobody"({ watch }) {
    const context = await watch.context();
    const page = await context.newPage();
    await logIn(page);
    for (const screen of ["submissions", "inbox", "mails"]) {
      await page.goto(`/console/${screen}`);
      await page.getByText("Mary Somerville").first().waitFor();
      assert.equal(await page.getByText("Cheap Watches").count(), 0, screen);
    }
    await context.close();
  },
};
