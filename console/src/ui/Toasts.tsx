import { X } from "lucide-react";
import { useSyncExternalStore } from "react";
import { IconButton } from "./Button";
import { Glyph, type Shape } from "./State";

interface Toast {
  id: number;
  text: string;
  shape: Shape;
}

const SHOWN_MS = 5_000;
let toasts: Toast[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

function change(next: Toast[]) {
  toasts = next;
  for (const listener of listeners) listener();
}

/** Says that something was done. Problems are shown where they happened; a toast is only for what has no place of its own. */
export function toast(text: string, shape: Shape = "ok") {
  const id = nextId++;
  change([...toasts, { id, text, shape }].slice(-4));
  setTimeout(() => dismiss(id), SHOWN_MS);
}

function dismiss(id: number) {
  change(toasts.filter((t) => t.id !== id));
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <div role="status" aria-live="polite" className="pointer-events-none fixed right-4 bottom-4 left-4 z-50 flex flex-col items-end gap-2">
      {shown.map((t) => (
        <div key={t.id} className="pointer-events-auto flex max-w-md animate-rise items-center gap-2.5 rounded-lg border border-line bg-raised py-1.5 pr-1.5 pl-3 shadow-pop">
          <Glyph shape={t.shape} />
          <span className="min-w-0 py-1 break-words">{t.text}</span>
          <IconButton name="Dismiss" onClick={() => dismiss(t.id)}>
            <X className="size-3.5" />
          </IconButton>
        </div>
      ))}
    </div>
  );
}
