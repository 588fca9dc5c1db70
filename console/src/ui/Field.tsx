import { Search } from "lucide-react";
import { type ComponentProps, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { Kbd } from "./Button";
import { cx } from "./cx";

const boxClass =
  "rounded-md border border-control/60 bg-raised text-ink placeholder:text-faint transition-colors hover:border-control focus:border-accent focus:outline-2 focus:-outline-offset-1 focus:outline-accent aria-invalid:border-bad disabled:opacity-60 max-sm:text-[16px]";

/** An input in a form. */
const inputClass = `${boxClass} h-8 w-full px-2.5 text-sm max-sm:h-10`;

/** An input in a toolbar: as high as the buttons beside it. */
export const barInputClass = `${boxClass} h-7 text-xs max-sm:h-9`;

interface Around {
  label: string;
  help?: ReactNode;
  error?: string | undefined;
  optional?: boolean;
}

/** A label, its input, its help and its error, tied together for those who do not see them next to each other. */
function Wrap({ label, help, error, optional, id, children }: Around & { id: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <label htmlFor={id} className="mb-1 flex items-baseline gap-2 font-medium">
        {label}
        {optional && <span className="text-xs font-normal text-faint">optional</span>}
      </label>
      {children}
      {error ? (
        <p id={`${id}-note`} className="mt-1 text-xs text-bad">
          {error}
        </p>
      ) : (
        help && (
          <p id={`${id}-note`} className="mt-1 text-xs text-muted">
            {help}
          </p>
        )
      )}
    </div>
  );
}

export function TextField({ label, help, error, optional, className, ...rest }: Around & ComponentProps<"input">) {
  const id = useId();
  return (
    <Wrap {...{ label, help, error, optional, id }}>
      <input id={id} {...rest} aria-invalid={error ? true : undefined} aria-describedby={error || help ? `${id}-note` : undefined} className={cx(inputClass, className)} />
    </Wrap>
  );
}

export function TextAreaField({ label, help, error, optional, className, ...rest }: Around & ComponentProps<"textarea">) {
  const id = useId();
  return (
    <Wrap {...{ label, help, error, optional, id }}>
      <textarea
        id={id}
        {...rest}
        aria-invalid={error ? true : undefined}
        aria-describedby={error || help ? `${id}-note` : undefined}
        className={cx(boxClass, "min-h-20 w-full px-2.5 py-1.5 text-sm leading-5", className)}
      />
    </Wrap>
  );
}

export function SelectField({ label, help, error, optional, children, className, ...rest }: Around & ComponentProps<"select">) {
  const id = useId();
  return (
    <Wrap {...{ label, help, error, optional, id }}>
      <select id={id} {...rest} aria-describedby={error || help ? `${id}-note` : undefined} className={cx(inputClass, "pl-2", className)}>
        {children}
      </select>
    </Wrap>
  );
}

/** A select in a toolbar: its name is spoken, not shown. */
export function PickField({ name, children, className, ...rest }: ComponentProps<"select"> & { name: string }) {
  return (
    <select aria-label={name} title={name} {...rest} className={cx(barInputClass, "max-w-52 pr-1 pl-1.5", className)}>
      {children}
    </select>
  );
}

export function CheckField({ label, help, className, ...rest }: ComponentProps<"input"> & { label: ReactNode; help?: ReactNode }) {
  return (
    <label className={cx("flex items-start gap-2 py-0.5", className)}>
      <input type="checkbox" {...rest} className="mt-[3px] size-3.5 shrink-0 accent-accent" />
      <span className="min-w-0">
        <span>{label}</span>
        {help && <span className="block text-xs text-muted">{help}</span>}
      </span>
    </label>
  );
}

const TYPING_PAUSE_MS = 250;

/** A search that belongs to the address: typing settles for a moment before the address, and with it the list, changes. */
export function SearchField({ name, value, onSearch, placeholder }: { name: string; value: string; onSearch: (q: string) => void; placeholder?: string }) {
  const [text, setText] = useState(value);
  const sent = useRef(value);
  useEffect(() => {
    if (value !== sent.current) {
      sent.current = value;
      setText(value);
    }
  }, [value]);
  useEffect(() => {
    if (text === sent.current) return;
    const settle = setTimeout(() => {
      sent.current = text;
      onSearch(text);
    }, TYPING_PAUSE_MS);
    return () => clearTimeout(settle);
  }, [text, onSearch]);
  return (
    <div className="relative min-w-0 flex-1 basis-44 sm:max-w-72">
      <Search className="pointer-events-none absolute top-1/2 left-2 size-3.5 -translate-y-1/2 text-faint" />
      <input
        type="search"
        data-search=""
        aria-label={name}
        placeholder={placeholder ?? name}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
        }}
        className={cx(barInputClass, "peer w-full pr-7 pl-7 [&::-webkit-search-cancel-button]:hidden")}
      />
      <span className="pointer-events-none absolute top-1/2 right-1.5 -translate-y-1/2 peer-focus:hidden max-sm:hidden" aria-hidden="true">
        <Kbd>/</Kbd>
      </span>
    </div>
  );
}

/** A choice of one among few, in a row. */
export function Segments<T extends string>({ name, value, options, onPick }: { name: string; value: T; options: { value: T; label: ReactNode }[]; onPick: (value: T) => void }) {
  const group = useId();
  return (
    <div role="radiogroup" aria-label={name} className="flex h-7 max-w-full items-stretch overflow-x-auto rounded-md border border-line bg-sunken p-0.5 max-sm:h-9">
      {options.map((option) => (
        <label
          key={option.value}
          className="relative flex items-center gap-1.5 rounded px-2 text-xs whitespace-nowrap text-muted transition-colors hover:text-ink has-checked:bg-raised has-checked:text-ink has-checked:shadow-[0_0_0_1px_var(--line-strong)] has-focus-visible:outline-2 has-focus-visible:outline-accent"
        >
          <input type="radio" className="sr-only" name={group} checked={option.value === value} onChange={() => onPick(option.value)} />
          {option.label}
        </label>
      ))}
    </div>
  );
}

/** On or off, at once: what it changes is saved by switching. */
export function Switch({ name, on, busy = false, onSwitch }: { name: string; on: boolean; busy?: boolean; onSwitch: (on: boolean) => void }) {
  return (
    <button
      type="button"
      role="switch"
      aria-checked={on}
      aria-label={name}
      aria-busy={busy || undefined}
      title={on ? "On" : "Off"}
      onClick={() => !busy && onSwitch(!on)}
      className="relative z-10 inline-grid h-7 w-10 shrink-0 place-items-center rounded-md align-middle max-sm:h-9"
    >
      <span className={cx("flex h-4.5 w-8 items-center rounded-full border p-px transition-colors", on ? "border-accent bg-accent" : "border-control bg-sunken", busy && "opacity-60")}>
        <span className={cx("size-3.5 rounded-full transition-transform", on ? "translate-x-3.5 bg-on-accent" : "bg-control")} />
      </span>
    </button>
  );
}
