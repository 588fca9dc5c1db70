import { useSyncExternalStore } from "react";

export type ThemeChoice = "system" | "light" | "dark";

const KEY = "plinth.theme";
const listeners = new Set<() => void>();
const dark = () => matchMedia("(prefers-color-scheme: dark)");

export function themeChoice(): ThemeChoice {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === "light" || stored === "dark" ? stored : "system";
  } catch {
    return "system";
  }
}

export function chooseTheme(choice: ThemeChoice) {
  try {
    if (choice === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, choice);
  } catch {
    // Storage may be refused; the choice then lasts as long as the page.
  }
  apply(choice);
  for (const listener of listeners) listener();
}

function apply(choice: ThemeChoice) {
  document.documentElement.dataset.theme = choice === "dark" || (choice === "system" && dark().matches) ? "dark" : "light";
}

export function watchSystemTheme() {
  dark().addEventListener("change", () => apply(themeChoice()));
}

export function useThemeChoice(): ThemeChoice {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, themeChoice);
}
