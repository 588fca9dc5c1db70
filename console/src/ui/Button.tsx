import type { ComponentProps, ReactNode } from "react";
import { cx } from "./cx";

type Look = "primary" | "plain" | "quiet" | "danger";
type Size = "sm" | "md";

const LOOKS: Record<Look, string> = {
  primary: "bg-accent text-on-accent hover:bg-accent-strong border-transparent font-medium",
  plain: "bg-raised text-ink border-line-strong hover:bg-hover",
  quiet: "text-muted border-transparent hover:bg-hover hover:text-ink",
  danger: "bg-raised text-bad border-line-strong hover:bg-bad-wash hover:border-bad",
};

const SIZES: Record<Size, string> = { sm: "h-7 px-2 text-xs gap-1.5", md: "h-8 px-3 text-sm gap-2" };

export function buttonClass(look: Look = "plain", size: Size = "md") {
  return cx(
    "inline-flex shrink-0 items-center justify-center rounded-md border whitespace-nowrap select-none transition-colors duration-100",
    "disabled:opacity-50 disabled:pointer-events-none aria-disabled:opacity-50 max-sm:min-h-9",
    LOOKS[look],
    SIZES[size],
  );
}

export function Button({ look = "plain", size = "md", busy = false, icon, children, className, ...rest }: ComponentProps<"button"> & { look?: Look; size?: Size; busy?: boolean; icon?: ReactNode }) {
  return (
    <button type="button" aria-busy={busy || undefined} {...rest} disabled={rest.disabled || busy} className={cx(buttonClass(look, size), className)}>
      {busy ? <Spinner /> : icon}
      {children}
    </button>
  );
}

/** A button that is only a picture: its name is for everyone who does not see it, and a tooltip for everyone who does. */
export function IconButton({ name, children, className, ...rest }: ComponentProps<"button"> & { name: string }) {
  return (
    <button
      type="button"
      aria-label={name}
      title={name}
      {...rest}
      className={cx("inline-grid size-7 shrink-0 place-items-center rounded-md text-muted transition-colors hover:bg-hover hover:text-ink disabled:opacity-40 disabled:pointer-events-none max-sm:size-9", className)}
    >
      {children}
    </button>
  );
}

export function Spinner() {
  return (
    <svg viewBox="0 0 16 16" className="size-3.5 animate-turn" aria-hidden="true">
      <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" strokeOpacity=".25" strokeWidth="2" />
      <path d="M14 8a6 6 0 0 0-6-6" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />
    </svg>
  );
}

export function Kbd({ children }: { children: ReactNode }) {
  return (
    <kbd className="inline-grid h-[18px] min-w-[18px] place-items-center rounded border border-line-strong bg-surface px-1 font-mono text-[10.5px] leading-none text-muted">{children}</kbd>
  );
}
