import { ChevronRight } from "lucide-react";
import { type ReactNode, useEffect } from "react";
import { cx } from "./cx";
import { To } from "./To";

/** A page's head: where it is, what it is, what can be done. The title is also the document's, so that a tab can be told from its neighbour. */
export function PageHead({ title, parent, lead, actions, plainTitle, meta }: { title: ReactNode; plainTitle?: string; parent?: { to: string; name: string }; lead?: ReactNode; actions?: ReactNode; meta?: ReactNode }) {
  const name = plainTitle ?? (typeof title === "string" ? title : undefined);
  useTitle(name);
  return (
    <header className="flex flex-wrap items-start gap-x-4 gap-y-2.5 px-4 pt-4 pb-3 sm:px-6 sm:pt-5">
      <div className="min-w-0 flex-1 basis-40">
        {parent && (
          <p className="mb-1 flex items-center gap-1 text-xs text-muted">
            <To to={parent.to} className="rounded hover:text-ink hover:underline underline-offset-3" data-back="">
              {parent.name}
            </To>
            <ChevronRight className="size-3 text-faint" aria-hidden="true" />
          </p>
        )}
        <h1 className="flex flex-wrap items-center gap-x-3 gap-y-1 text-xl font-semibold tracking-[-0.012em] break-words">{title}</h1>
        {lead && <p className="mt-0.5 max-w-2xl text-muted">{lead}</p>}
        {meta && <div className="mt-1.5 flex flex-wrap items-center gap-x-4 gap-y-1 text-muted">{meta}</div>}
      </div>
      {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
    </header>
  );
}

export function useTitle(name: string | undefined) {
  useEffect(() => {
    document.title = name ? `${name} · Plinth` : "Plinth";
  }, [name]);
}

export function FilterBar({ children }: { children: ReactNode }) {
  return <div className="flex flex-wrap items-center gap-2 px-4 pb-3 sm:px-6">{children}</div>;
}

/** A part of a page under a rule. */
export function Section({ title, lead, actions, children, className, flush = false }: { title: ReactNode; lead?: ReactNode; actions?: ReactNode; children: ReactNode; className?: string; flush?: boolean }) {
  return (
    <section className={cx("border-t border-line py-4 sm:py-5", !flush && "px-4 sm:px-6", className)}>
      <div className={cx("mb-2.5 flex flex-wrap items-baseline gap-x-4 gap-y-1", flush && "px-4 sm:px-6")}>
        <h2 className="text-base font-semibold">{title}</h2>
        {lead && <p className="text-muted">{lead}</p>}
        {actions && <div className="ml-auto flex items-center gap-2">{actions}</div>}
      </div>
      {children}
    </section>
  );
}

/** `level` 1 is for a page that is nothing but this. */
export function Empty({ title, children, action, picture, level = 2 }: { title: string; level?: 1 | 2; children: ReactNode; action: ReactNode; picture?: ReactNode }) {
  const Heading = level === 1 ? "h1" : "h2";
  return (
    <div className="flex flex-col items-center px-6 py-16 text-center">
      {picture ?? <Slabs />}
      <Heading className="mt-5 text-lg font-semibold">{title}</Heading>
      <p className="mt-1 max-w-sm text-muted">{children}</p>
      <div className="mt-5 flex flex-wrap justify-center gap-2">{action}</div>
    </div>
  );
}

/** The mark's slabs in outline: a base on which nothing stands yet. */
function Slabs() {
  return (
    <svg viewBox="0 0 96 56" className="h-14 text-line-strong" fill="none" stroke="currentColor" strokeWidth="1.25" aria-hidden="true">
      <path d="M33 4h30v13H33z" strokeDasharray="3 3" className="text-accent" />
      <path d="M23 21h50v13H23zM11 38h74v14H11z" />
    </svg>
  );
}
