// Applies the reader's choice of colours before the first paint, and wires the button afterwards.
// A classic, blocking script on purpose: a deferred one would let the wrong colours flash.
(() => {
  const root = document.documentElement;
  let kept = null;
  try { kept = localStorage.getItem("theme"); } catch { /* Storage may be forbidden; the choice then lasts a page. */ }
  if (kept === "light" || kept === "dark") root.dataset.theme = kept;
  addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-theme-toggle]");
    if (!button) return;
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const now = () => root.dataset.theme ?? (dark.matches ? "dark" : "light");
    const say = () => button.setAttribute("aria-pressed", String(now() === "dark"));
    button.hidden = false;
    say();
    dark.addEventListener("change", say);
    button.addEventListener("click", () => {
      root.dataset.theme = now() === "dark" ? "light" : "dark";
      try { localStorage.setItem("theme", root.dataset.theme); } catch { /* See above. */ }
      say();
    });
  });
})();
