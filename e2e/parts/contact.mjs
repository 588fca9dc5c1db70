// The contact form, with JavaScript and without.
import assert from "node:assert/strict";

export async function fill(page, { name, email = "ada@example.org", message = "We weave algebraic patterns and need a backend for them." }) {
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("A product").check();
  await page.getByLabel("Message").fill(message);
}

export async function send(page, values) {
  await page.goto("/contact");
  await fill(page, values);
  await page.getByRole("button", { name: "Send message" }).click();
  await page.getByText("Thank you. Your message has arrived").waitFor();
  return (await page.locator(".sent code").innerText()).trim();
}

export const tests = {
  async "the contact form is sent without a page load"({ watch, ...world }) {
    const context = await watch.context();
    const page = await context.newPage();
    let loads = 0;
    await page.goto("/contact");
    page.on("framenavigated", () => (loads += 1));
    await fill(page, { name: "Ada Lovelace" });
    await page.getByRole("button", { name: "Send message" }).click();
    await page.getByText("Thank you. Your message has arrived").waitFor();
    assert.match(await page.locator(".sent code").innerText(), /^sub_/);
    assert.equal(loads, 0);
    await context.close();
  },

  async "the contact form is sent without JavaScript"({ watch }) {
    const context = await watch.context({ javaScriptEnabled: false });
    const page = await context.newPage();
    assert.match(await send(page, { name: "Charles Babbage" }), /^sub_/);
    await context.close();
  },

  async "a mistake is shown at its field and nothing that was typed is lost"({ watch }) {
    watch.expect(/status of 422 .*\/(submissions|contact)/);
    for (const javaScriptEnabled of [true, false]) {
      const context = await watch.context({ javaScriptEnabled });
      const page = await context.newPage();
      await page.goto("/contact");
      // The browser's own checks let this address pass; the server's do not.
      await fill(page, { name: "Grace Hopper", email: "grace@localhost" });
      await page.getByRole("button", { name: "Send message" }).click();
      const email = page.getByLabel("E-mail");
      await page.locator("#f-email-error:not(:empty)").waitFor();
      assert.equal(await email.getAttribute("aria-invalid"), "true");
      assert.equal(await email.inputValue(), "grace@localhost");
      assert.match(await page.getByLabel("Message").inputValue(), /algebraic/);
      await context.close();
    }
  },

  async "a robot that fills the trap is thanked and kept apart"({ watch }) {
    const context = await watch.context({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto("/contact");
    await fill(page, { name: "Cheap Watches" });
    await page.locator("#f-trap").fill("https://spam.example", { force: true });
    await page.getByRole("button", { name: "Send message" }).click();
    await page.getByText("Thank you. Your message has arrived").waitFor();
    await context.close();
  },
};
