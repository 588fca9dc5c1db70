// Puts the server's own figures into the strip. Cells keep their size, so nothing moves; without an answer
// the figures that came with the page stay.
const strip = document.querySelector("[data-live]");
const ENDPOINT = "/v1/site/live";
const EVERY_MS = 15_000;

async function refresh() {
  if (document.hidden) return;
  const answer = await fetch(ENDPOINT, { headers: { accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) return clearInterval(timer);
  const { figures = [] } = await answer.json().catch(() => ({}));
  [...strip.children].forEach((cell, i) => {
    if (!figures[i]) return;
    cell.querySelector("dt").textContent = figures[i].label;
    cell.querySelector("dd").textContent = figures[i].value;
  });
}

const timer = strip && setInterval(refresh, EVERY_MS);
if (strip) refresh();
