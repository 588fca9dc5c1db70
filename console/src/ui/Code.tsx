import { Fragment, type ReactNode } from "react";
import { routeForId } from "../lib/ids";
import { cx } from "./cx";
import { CopyButton } from "./Text";
import { To } from "./To";

/** JSON as text that can be read: keys, strings and numbers told apart, ids that lead somewhere are links. */
export function JsonView({ value, label = "JSON", className }: { value: unknown; label?: string; className?: string }) {
  return (
    <CodeBlock label={label} copy={JSON.stringify(value, null, 2)} className={className}>
      {render(value, 0)}
    </CodeBlock>
  );
}

/** A block of text as it is. It can be scrolled with the keyboard, so it can be focused and has a name. */
export function CodeBlock({ label, copy, children, className, wrap = false }: { label: string; copy: string; children: ReactNode; className?: string; wrap?: boolean }) {
  return (
    <div className={cx("group relative overflow-hidden rounded-lg border border-line bg-sunken", className)}>
      <pre tabIndex={0} role="region" aria-label={label} className={cx("max-h-[32rem] overflow-auto px-3 py-2.5 font-mono text-xs leading-[1.6]", wrap && "whitespace-pre-wrap break-words")}>
        {children}
      </pre>
      <CopyButton text={copy} name={`Copy ${label.toLowerCase()}`} className="absolute top-1.5 right-1.5 bg-sunken" />
    </div>
  );
}

function render(value: unknown, depth: number): ReactNode {
  if (Array.isArray(value)) return bracketed("[", "]", value.map((item) => render(item, depth + 1)), depth);
  if (typeof value === "object" && value !== null) {
    const items = Object.entries(value).map(([key, item]) => (
      <>
        <span className="text-muted">{JSON.stringify(key)}</span>: {render(item, depth + 1)}
      </>
    ));
    return bracketed("{", "}", items, depth);
  }
  if (typeof value === "string") {
    const to = routeForId(value);
    const text = JSON.stringify(value);
    return to ? (
      <To to={to} className="text-accent underline decoration-accent/40 underline-offset-2 hover:decoration-accent">
        {text}
      </To>
    ) : (
      <span className="text-good">{text}</span>
    );
  }
  return <span className={value === null ? "text-faint" : "text-info"}>{String(value)}</span>;
}

function bracketed(open: string, close: string, items: ReactNode[], depth: number): ReactNode {
  if (items.length === 0) return open + close;
  const inner = "  ".repeat(depth + 1);
  return (
    <>
      {open}
      {items.map((item, index) => (
        <Fragment key={index}>
          {`\n${inner}`}
          {item}
          {index < items.length - 1 ? "," : ""}
        </Fragment>
      ))}
      {`\n${"  ".repeat(depth)}${close}`}
    </>
  );
}
