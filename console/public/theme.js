(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem("plinth.theme");
  } catch (_) {
    /* storage may be refused: follow the system */
  }
  var dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
