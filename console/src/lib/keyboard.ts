import { useEffect, useRef } from "react";

/** Where a key press is text, not a command. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable) return true;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "button", "submit"].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

const SEQUENCE_MS = 1_200;

export type Bindings = Record<string, (event: KeyboardEvent) => void>;

/**
 * Reads keys into commands: single keys (`?`), and sequences of two (`g o`). Nothing is bound while someone types, while a dialog is
 * open (it has its own keys), or together with a modifier, which belongs to the browser; `mod+k` is the one exception.
 */
export function useKeys(bindings: Bindings) {
  const current = useRef(bindings);
  current.current = bindings;
  useEffect(() => {
    let before = "";
    let at = 0;
    const onKey = (event: KeyboardEvent) => {
      const modified = event.metaKey || event.ctrlKey;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      if (modified && key === "k" && !event.altKey && !event.shiftKey) {
        run(current.current["mod+k"], event);
        return;
      }
      if (event.defaultPrevented || modified || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
      const name = event.key === "?" ? "?" : event.shiftKey && key.length === 1 && /[a-z]/.test(key) ? `shift+${key}` : key;
      const sequence = performance.now() - at < SEQUENCE_MS ? `${before} ${name}` : "";
      before = name;
      at = performance.now();
      const command = current.current[sequence];
      if (command) {
        before = "";
        run(command, event);
      } else {
        run(current.current[name], event);
      }
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
}

function run(command: ((event: KeyboardEvent) => void) | undefined, event: KeyboardEvent) {
  if (!command) return;
  event.preventDefault();
  command(event);
}

/** Moves the focus to the next or previous row of the list on the page. */
export function stepRow(by: 1 | -1) {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-row]")].filter((row) => row.offsetParent !== null);
  if (rows.length === 0) return;
  const active = document.activeElement?.closest<HTMLElement>("[data-row]") ?? null;
  const at = active ? rows.indexOf(active) : -1;
  const next = rows[at < 0 ? (by === 1 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, at + by))];
  next?.focus({ preventScroll: false });
  next?.scrollIntoView({ block: "nearest" });
}
