// A key made in the console, used by a program.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { logIn } from "./console.mjs";

export const tests = {
  async "a key is made in the console, shown once, and works"(world) {
    const context = await world.watch.context({ permissions: ["clipboard-read", "clipboard-write"] });
    const page = await context.newPage();
    await logIn(page);
    await page.goto("/console/keys");
    await page.getByRole("button", { name: "New key" }).first().click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("Order service");
    await dialog.getByRole("button", { name: /^Everything|^All/ }).first().click();
    await dialog.getByRole("button", { name: "Create key" }).click();
    const key = (await page.getByRole("dialog").getByText(/plk_live_\S+/).first().innerText()).match(/plk_live_\S+/)[0];
    await page.reload();
    await page.getByText("Order service").first().waitFor();
    assert.equal(await page.getByText(key).count(), 0, "a key is shown once");
    await context.close();

    const call = (path, options = {}) => fetch(world.base + path, { ...options, headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...options.headers } });
    const me = await (await call("/v1/me")).json();
    assert.equal(me.credential, "secret_key");

    // The same request twice, with one key: one submission, one answer.
    const request = {
      method: "POST",
      headers: { "idempotency-key": randomUUID() },
      body: JSON.stringify({ values: { name: "Sophie Germain", email: "sophie@example.org", topic: "problem", message: "Elastic surfaces, and their vibrations." } }),
    };
    const first = await call("/v1/forms/ext:contact/submissions", request);
    const second = await call("/v1/forms/ext:contact/submissions", request);
    assert.deepEqual([first.status, second.status], [201, 201]);
    assert.equal(first.headers.get("idempotency-replayed"), null);
    assert.equal(second.headers.get("idempotency-replayed"), "true");
    assert.deepEqual(await first.json(), await second.json());
    const other = await call("/v1/forms/ext:contact/submissions", { ...request, body: request.body.replace("Elastic", "Rigid") });
    assert.equal((await other.json()).code, "idempotency_key_reused");
    const found = await (await call("/v1/submissions?q=Germain")).json();
    assert.equal(found.data.length, 1);
  },

  async "the request log shows what the program asked, and why it was refused"({ watch }) {
    const context = await watch.context();
    const page = await context.newPage();
    await logIn(page);
    // The list is live: without the filter a new row could push this one from under the pointer.
    await page.goto("/console/requests?q=idempotency_key_reused");
    const refused = page.locator("tbody tr").filter({ hasText: "ext:contact" }).first();
    await refused.waitFor();
    await refused.click();
    await page.waitForURL(/\/console\/requests\/req_/);
    await page.getByText("idempotency_key_reused").first().waitFor();
    await context.close();
  },
};
