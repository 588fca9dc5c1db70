import { useInfiniteQuery } from "@tanstack/react-query";
import { Check, Copy } from "lucide-react";
import { Fragment, type ReactNode, useEffect, useState, useSyncExternalStore } from "react";
import { membersQuery } from "../api/access";
import { rowsOf } from "../api/pages";
import { shortId } from "../lib/format";
import { readActor, routeForId } from "../lib/ids";
import { ago, instant } from "../lib/time";
import { IconButton } from "./Button";
import { cx } from "./cx";
import { To } from "./To";
import { toast } from "./Toasts";

const TICK_MS = 5_000;
let now = Date.now();
const clocks = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** One clock for every relative time on the page. */
export function useNow(): number {
  return useSyncExternalStore(
    (listener) => {
      clocks.add(listener);
      timer ??= setInterval(() => {
        now = Date.now();
        for (const tick of clocks) tick();
      }, TICK_MS);
      return () => {
        clocks.delete(listener);
        if (clocks.size === 0) {
          clearInterval(timer);
          timer = undefined;
        }
      };
    },
    () => now,
  );
}

export function Ago({ at, className }: { at: string | null | undefined; className?: string }) {
  const current = useNow();
  if (!at) return <span className={cx("text-faint", className)}>never</span>;
  return (
    <time dateTime={at} title={instant(at)} className={cx("figures whitespace-nowrap", className)}>
      {ago(at, Math.max(current, Date.now() - TICK_MS))}
    </time>
  );
}

export function Instant({ at }: { at: string | null | undefined }) {
  if (!at) return <span className="text-faint">—</span>;
  return (
    <span className="figures">
      {instant(at)} <span className="text-faint">· <Ago at={at} /></span>
    </span>
  );
}

export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyThroughSelection(text);
  }
}

/** The clipboard API exists only in secure contexts; a console on a private network may be plain HTTP. */
function copyThroughSelection(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  area.setAttribute("readonly", "");
  area.className = "fixed -left-96 top-0";
  const host = document.querySelector("dialog[open]") ?? document.body;
  host.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

export function CopyButton({ text, name = "Copy", className }: { text: string; name?: string; className?: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const reset = setTimeout(() => setCopied(false), 1_500);
    return () => clearTimeout(reset);
  }, [copied]);
  return (
    <IconButton
      name={copied ? "Copied" : name}
      className={cx("size-6 max-sm:size-8", className)}
      onClick={async (event) => {
        event.preventDefault();
        event.stopPropagation();
        if (await copyText(text)) setCopied(true);
        else toast("The browser refused to copy. Select the text instead.", "bad");
      }}
    >
      {copied ? <Check className="size-3.5 text-good" /> : <Copy className="size-3.5" />}
    </IconButton>
  );
}

/** An id: whole in details (with copy), short in rows; a link when it has a page. */
export function IdText({ id, short = false, link = true, copy = !short, className }: { id: string | null | undefined; short?: boolean; link?: boolean; copy?: boolean; className?: string }) {
  if (!id) return <span className="text-faint">—</span>;
  const to = link ? routeForId(id) : null;
  const text = short ? shortId(id) : id;
  return (
    <span className={cx("inline-flex min-w-0 items-center gap-0.5", className)}>
      {to ? (
        <To to={to} className={cx("mono text-accent underline-offset-3 hover:underline", short ? "whitespace-nowrap" : "break-all max-sm:text-[11px]")} title={id}>
          {text}
        </To>
      ) : (
        <span className={cx("mono", short ? "whitespace-nowrap" : "break-all max-sm:text-[11px]")} title={id}>
          {text}
        </span>
      )}
      {copy && <CopyButton text={id} name="Copy id" className="-my-1.5" />}
    </span>
  );
}

/** Names of the members, by id: people are told apart by their names. */
export function useMemberNames(): (id: string) => string | undefined {
  const { data } = useInfiniteQuery({ ...membersQuery(), staleTime: 5 * 60_000, retry: false });
  return (id) => rowsOf(data).find((member) => member.id === id)?.name || undefined;
}

/** Who did it: a member by name, everyone else by kind and id. */
export function ActorText({ actor, short = true }: { actor: string | null | undefined; short?: boolean }) {
  const nameOf = useMemberNames();
  if (!actor) return <span className="text-faint">—</span>;
  const { kind, id } = readActor(actor);
  const name = kind === "member" ? nameOf(id) : undefined;
  if (name) return <span title={id}>{name}</span>;
  return (
    <span className="inline-flex min-w-0 items-baseline gap-1 whitespace-nowrap">
      <span className="text-muted">{kind}</span>
      {id !== "" && <span className="mono truncate text-faint" title={id}>{short ? shortId(id) : id}</span>}
    </span>
  );
}

/** A two-column list of what is known about a thing. */
export function Facts({ rows, className }: { rows: [name: string, value: ReactNode][]; className?: string }) {
  return (
    <dl className={cx("grid grid-cols-[minmax(6rem,auto)_minmax(0,1fr)]", className)}>
      {rows.map(([name, value]) => (
        <Fragment key={name}>
          <dt className="border-b border-line/60 py-1.5 pr-5 text-muted last-of-type:border-0">{name}</dt>
          <dd className="min-w-0 border-b border-line/60 py-1.5 break-words last-of-type:border-0">{value}</dd>
        </Fragment>
      ))}
    </dl>
  );
}
