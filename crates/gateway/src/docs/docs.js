// Filters the list of operations. The page is complete without it.
(() => {
  const search = document.getElementById("search");
  if (!search) return;
  const entries = [...document.querySelectorAll("[data-find]")];
  const groups = [...document.querySelectorAll("[data-group]")];
  const nothing = document.getElementById("nothing");
  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const entry of entries) {
      const matches = words.every((word) => entry.dataset.find.includes(word));
      entry.hidden = !matches;
      if (matches) found += 1;
    }
    for (const group of groups) group.hidden = !group.querySelector("[data-find]:not([hidden])");
    nothing.hidden = found > 0;
  };
  search.addEventListener("input", apply);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== search) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape" && document.activeElement === search) {
      search.value = "";
      apply();
      search.blur();
    }
  });
  apply();
})();
