import type { ReactNode } from "react";
import { words } from "../lib/format";
import { cx } from "./cx";

export type Shape = "ok" | "bad" | "warn" | "running" | "waiting" | "off" | "note";

const COLOURS: Record<Shape, string> = {
  ok: "text-good",
  bad: "text-bad",
  warn: "text-warn",
  running: "text-info",
  waiting: "text-faint",
  off: "text-faint",
  note: "text-info",
};

/** Every state has a shape as well as a colour, so that it can be read without seeing colours. */
export function Glyph({ shape, className }: { shape: Shape; className?: string }) {
  return (
    <svg viewBox="0 0 14 14" className={cx("size-3.5 shrink-0", COLOURS[shape], className)} aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round">
      {SHAPES[shape]}
    </svg>
  );
}

const SHAPES: Record<Shape, ReactNode> = {
  ok: (
    <>
      <circle cx="7" cy="7" r="6" fill="currentColor" stroke="none" />
      <path d="m4.6 7.2 1.7 1.7 3.2-3.6" stroke="var(--surface)" />
    </>
  ),
  bad: (
    <>
      <rect x="1.5" y="1.5" width="11" height="11" rx="2.5" fill="currentColor" stroke="none" />
      <path d="m5 5 4 4m0-4L5 9" stroke="var(--surface)" />
    </>
  ),
  warn: (
    <>
      <path d="M7 1.2 13.2 12.3H.8Z" fill="currentColor" stroke="none" />
      <path d="M7 5.4v3M7 10.4v.05" stroke="var(--surface)" />
    </>
  ),
  running: (
    <>
      <circle cx="7" cy="7" r="5.25" strokeOpacity=".3" />
      <path d="M7 1.75A5.25 5.25 0 0 1 12.25 7" className="origin-center animate-turn" />
    </>
  ),
  waiting: <circle cx="7" cy="7" r="5.25" strokeDasharray="2 2.12" />,
  off: (
    <>
      <circle cx="7" cy="7" r="5.25" />
      <path d="m4.2 9.8 5.6-5.6" />
    </>
  ),
  note: (
    <>
      <circle cx="7" cy="7" r="5.25" />
      <circle cx="7" cy="7" r="1.5" fill="currentColor" stroke="none" />
    </>
  ),
};

const KNOWN: Record<string, Shape> = {
  ok: "ok", succeeded: "ok", delivered: "ok", done: "ok", active: "ok", published: "ok", complete: "ok", live: "ok", sent: "ok", completed: "ok",
  error: "bad", dead: "bad", failed: "bad", not_ready: "bad", parked: "bad",
  retiring: "warn", changed: "warn", retrying: "warn", stopped: "warn", unknown: "warn", lost: "warn",
  running: "running", sending: "running", streaming: "running", leased: "running",
  ready: "waiting", blocked: "waiting", retry: "bad", due: "waiting", queued: "waiting", waiting: "waiting", invited: "waiting", draft: "waiting", scheduled: "waiting", pending: "waiting",
  cancelled: "off", revoked: "off", expired: "off", suppressed: "off", skipped: "off",
};

/** Output enums are open: a state this console has not heard of is shown as a plain note, by its own name. */
export function shapeOf(state: string): Shape {
  return KNOWN[state] ?? "note";
}

export function State({ state, label, className }: { state: string; label?: string; className?: string }) {
  return (
    <span className={cx("inline-flex items-center gap-1.5 whitespace-nowrap", className)}>
      <Glyph shape={shapeOf(state)} />
      <span>{label ?? words(state)}</span>
    </span>
  );
}

/** An HTTP status with the shape of its class. */
export function HttpStatus({ status }: { status: number }) {
  const shape: Shape = status >= 500 ? "bad" : status >= 400 ? "warn" : status >= 300 ? "note" : "ok";
  return (
    <span className="inline-flex items-center gap-1.5">
      <Glyph shape={shape} />
      <span className="mono figures">{status}</span>
    </span>
  );
}

export function Tag({ children, tone = "plain", className }: { children: ReactNode; tone?: "plain" | "accent" | "warn" | "bad" | "info"; className?: string }) {
  const tones = {
    plain: "bg-sunken text-muted border-line",
    accent: "bg-accent-wash text-accent border-transparent",
    warn: "bg-warn-wash text-warn border-transparent",
    bad: "bg-bad-wash text-bad border-transparent",
    info: "bg-info-wash text-info border-transparent",
  };
  return <span className={cx("inline-flex h-[18px] items-center rounded border px-1.5 text-2xs leading-none whitespace-nowrap", tones[tone], className)}>{children}</span>;
}
