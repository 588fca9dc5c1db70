// The contact form without a page load. The markup is the server's; without this file the browser posts it.
const form = document.querySelector("[data-form]");

const keyFor = () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
let key = keyFor();

function values() {
  const out = {};
  for (const field of form.querySelectorAll("[data-field]")) {
    const name = field.dataset.field;
    const input = field.querySelector(`[name="${CSS.escape(name)}"]`);
    if (input?.type === "checkbox") out[name] = input.checked;
    else {
      const value = input?.type === "radio" ? new FormData(form).get(name) : input?.value;
      if (value?.trim()) out[name] = value;
    }
  }
  return out;
}

function mark(name, text) {
  const field = form.querySelector(`[data-field="${CSS.escape(name)}"]`);
  if (!field) return null;
  field.querySelector("[data-error]").textContent = text;
  const control = field.querySelector("fieldset, input, textarea, select");
  if (text) control.setAttribute("aria-invalid", "true");
  else control.removeAttribute("aria-invalid");
  return control;
}

function refuse(problem, status) {
  const box = form.querySelector("[data-problem]");
  let first = null;
  for (const error of problem.errors ?? []) {
    const name = error.pointer?.split("/").pop();
    const control = name && mark(name, error.detail);
    first ??= control || null;
  }
  const wait = status === 429 ? " Please wait a little and try again." : "";
  box.textContent = first
    ? "The message was not sent yet. Please look at the marked fields."
    : (problem.detail ?? "The message could not be sent. Nothing was lost: please try again.") + wait;
  box.hidden = false;
  (first?.matches("fieldset") ? first.querySelector("input") : first)?.focus();
}

function thank(reference) {
  const box = document.createElement("div");
  box.className = "sent";
  box.tabIndex = -1;
  box.setAttribute("role", "status");
  const title = document.createElement(document.getElementById("form-title").tagName);
  title.textContent = form.dataset.thanks || "Thank you. Your message was sent.";
  box.append(title);
  if (reference) {
    const line = document.createElement("p");
    const code = document.createElement("code");
    code.textContent = reference;
    line.append("Reference ", code);
    box.append(line);
  }
  // The place keeps its height: what stands below does not jump.
  const place = document.createElement("div");
  place.style.minBlockSize = `${form.offsetHeight}px`;
  place.append(box);
  form.replaceWith(place);
  box.focus({ preventScroll: true });
  box.scrollIntoView({ block: "nearest" });
}

async function send(event) {
  // A filled trap is the server's business.
  if (form.elements._website?.value) return;
  event.preventDefault();
  const button = form.querySelector("[data-submit]");
  if (button.getAttribute("aria-disabled") === "true") return;
  form.querySelectorAll("[data-field]").forEach((field) => mark(field.dataset.field, ""));
  form.querySelector("[data-problem]").hidden = true;
  button.setAttribute("aria-disabled", "true");
  form.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(`/v1/forms/${encodeURIComponent(form.dataset.form)}/submissions`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json", "idempotency-key": key },
      body: JSON.stringify({ values: values() }),
    });
    const body = await answer.json().catch(() => ({}));
    if (answer.ok) return thank(body.id);
    // A refused message that is changed is a new one; an unchanged retry after a fault keeps its key.
    if (answer.status < 500) key = keyFor();
    refuse(body, answer.status);
  } catch {
    refuse({ detail: "The server could not be reached. Nothing was lost: please try again." }, 0);
  } finally {
    button.removeAttribute("aria-disabled");
    form.removeAttribute("aria-busy");
  }
}

if (form) {
  form.noValidate = false;
  form.addEventListener("submit", send);
  form.addEventListener("input", (event) => {
    key = keyFor();
    const field = event.target.closest("[data-field]");
    if (field) mark(field.dataset.field, "");
  });
}
