import { X } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef } from "react";
import { Button, IconButton } from "./Button";
import { cx } from "./cx";
import { ProblemNotice } from "./Problem";

/**
 * The platform's own modal dialog: focus is kept inside, Escape closes, the page behind is inert, and nothing has to inject a style sheet,
 * which the content security policy would refuse.
 */
export function Dialog({ open, onClose, title, description, children, className, bare = false, readOnly = false }: { open: boolean; onClose: () => void; title: string; description?: ReactNode; children: ReactNode; className?: string; bare?: boolean; /** Nothing inside takes the focus, so the text itself does, to be scrolled. */ readOnly?: boolean }) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (!dialog) return;
    if (open && !dialog.open) {
      dialog.showModal();
      // The platform focuses the first thing it can, which is the button that closes. What was opened is what one wants to use.
      const body = dialog.querySelector<HTMLElement>("[data-body]");
      (body?.querySelector<HTMLElement>("input:not([type=checkbox]), textarea, select") ?? body)?.focus();
    }
    if (!open && dialog.open) dialog.close();
  }, [open]);
  if (!open) return null;
  return (
    <dialog
      ref={ref}
      aria-labelledby={id}
      onClose={onClose}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => {
        if (event.target === ref.current) onClose();
      }}
      className={cx("m-auto max-h-[calc(100dvh-2rem)] w-[calc(100vw-1.5rem)] max-w-lg animate-rise overflow-visible rounded-xl border border-line bg-surface p-0 shadow-pop", className)}
    >
      {bare ? (
        <>
          <h2 id={id} className="sr-only">
            {title}
          </h2>
          {children}
        </>
      ) : (
        <div className="flex max-h-[calc(100dvh-2rem)] flex-col overflow-hidden rounded-xl">
          <header className="flex items-start gap-3 border-b border-line px-5 py-3.5">
            <div className="min-w-0 flex-1">
              <h2 id={id} className="text-lg font-semibold">
                {title}
              </h2>
              {description && <p className="mt-0.5 text-muted">{description}</p>}
            </div>
            <IconButton name="Close" onClick={onClose}>
              <X className="size-4" />
            </IconButton>
          </header>
          <div data-body="" tabIndex={readOnly ? 0 : -1} className="min-h-0 overflow-y-auto px-5 py-4 outline-none">{children}</div>
        </div>
      )}
    </dialog>
  );
}

export function DialogActions({ children }: { children: ReactNode }) {
  return <div className="mt-5 flex flex-wrap justify-end gap-2">{children}</div>;
}

/** A question before something that cannot be taken back. It says what will happen, and the button says the verb. */
export function Confirm({ open, onClose, onConfirm, title, verb, busy, error, children }: { open: boolean; onClose: () => void; onConfirm: () => void; title: string; verb: string; busy: boolean; error: unknown; children: ReactNode }) {
  return (
    <Dialog open={open} onClose={onClose} title={title} className="max-w-md">
      <div className="text-muted">{children}</div>
      {error != null && <ProblemNotice error={error} className="mt-4" />}
      <DialogActions>
        <Button onClick={onClose}>Keep</Button>
        <Button look="danger" busy={busy} onClick={onConfirm}>
          {verb}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
