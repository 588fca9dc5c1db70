import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { ChevronRight } from "lucide-react";
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { traceQuery } from "../api/flow";
import type { Span, Trace } from "../api/models";
import { plural, words } from "../lib/format";
import { duration } from "../lib/time";
import { layOut, type Row, ticks, type Waterfall } from "../lib/waterfall";
import { Detail } from "../ui/Detail";
import { JsonView } from "../ui/Code";
import { cx } from "../ui/cx";
import { PageHead } from "../ui/Page";
import { Glyph, shapeOf, State } from "../ui/State";
import { Facts, IdText, Instant } from "../ui/Text";

const KINDS: Record<string, { name: string; bar: string; dot: string }> = {
  request: { name: "Request", bar: "bg-(--k-request)", dot: "bg-(--k-request)" },
  command: { name: "Command", bar: "bg-(--k-command)", dot: "bg-(--k-command)" },
  event: { name: "Event", bar: "bg-(--k-event)", dot: "bg-(--k-event)" },
  consumer: { name: "Consumer", bar: "bg-(--k-consumer)", dot: "bg-(--k-consumer)" },
  job: { name: "Job", bar: "bg-(--k-job)", dot: "bg-(--k-job)" },
  attempt: { name: "Attempt", bar: "bg-(--k-attempt)", dot: "bg-(--k-attempt)" },
  publication: { name: "Publication", bar: "bg-(--k-publication)", dot: "bg-(--k-publication)" },
};
const UNKNOWN_KIND = { name: "Step", bar: "bg-control", dot: "bg-control" };
/** Times come in milliseconds: a step without length took less than one. */
const took = (ms: number) => (ms === 0 ? "<1 ms" : duration(ms));

/** Attempts carry their job's name; beside the job their number says more. */
function nameOf(span: Span): string {
  const number = span.attributes.attempt;
  return span.kind === "attempt" && typeof number === "number" ? `Attempt ${number}` : span.name;
}

const kindOf = (span: Span) => KINDS[span.kind] ?? UNKNOWN_KIND;

const route = getRouteApi("/app/traces/$id");

export function TraceScreen() {
  const { id } = route.useParams();
  return (
    <Detail query={useQuery(traceQuery(id))} parent={{ to: "/traces", name: "Traces" }}>
      {(trace) => <TraceDetail trace={trace} />}
    </Detail>
  );
}

function TraceDetail({ trace }: { trace: Trace }) {
  const { span: selectedId } = route.useSearch();
  const navigate = useNavigate();
  const open = trace.spans.some((span) => !span.ended_at);
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!open) return;
    const tick = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(tick);
  }, [open]);
  const fall = useMemo(() => layOut(trace.spans, now), [trace.spans, now]);
  const root = fall.rows[0]?.span;
  const failed = trace.spans.filter((span) => span.status === "error").length;
  const chosen = trace.spans.find((span) => span.id === selectedId) ?? null;
  const choose = (span: Span | null) => void navigate({ to: "/traces/$id", params: { id: trace.trace_id }, search: span ? { span: span.id } : {}, replace: true, resetScroll: false });
  return (
    <>
      <PageHead
        parent={{ to: "/traces", name: "Traces" }}
        title={root?.name ?? "Trace"}
        meta={
          <>
            <Instant at={trace.started_at} />
            <IdText id={trace.trace_id} link={false} />
          </>
        }
      />
      <dl className="flex flex-wrap gap-x-10 gap-y-3 border-t border-line px-4 py-3.5 sm:px-6">
        <Figure name="From start to end" value={duration(fall.total)} />
        <Figure name="Of it working" value={duration(fall.busy)} />
        <Figure name="Steps" value={String(trace.spans.length)} />
        <Figure name={open ? "State" : "Outcome"} value={open ? "Still running" : failed > 0 ? `${plural(failed, "step")} failed` : "All well"} shape={open ? "running" : failed > 0 ? "warn" : "ok"} />
      </dl>
      <div className={cx("grid grid-cols-[minmax(0,1fr)] border-t border-line", chosen && "xl:grid-cols-[minmax(0,1fr)_24rem]")}>
        <Fall fall={fall} chosen={chosen} onChoose={choose} />
        {chosen && <SpanPanel key={chosen.id} span={chosen} fall={fall} onClose={() => choose(null)} />}
      </div>
      <Legend spans={trace.spans} />
    </>
  );
}

function Figure({ name, value, shape }: { name: string; value: string; shape?: "running" | "warn" | "ok" }) {
  return (
    <div>
      <dt className="text-xs text-muted">{name}</dt>
      <dd className="mt-0.5 flex items-center gap-1.5 text-lg figures">
        {shape && <Glyph shape={shape} />}
        {value}
      </dd>
    </div>
  );
}

/** The waterfall is a tree: arrows walk it, left and right fold it, Enter shows a span's attributes. */
function Fall({ fall, chosen, onChoose }: { fall: Waterfall; chosen: Span | null; onChoose: (span: Span | null) => void }) {
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const tree = useRef<HTMLDivElement>(null);
  const rows = visible(fall.rows, folded);
  const [focus, setFocus] = useState<string | null>(chosen?.id ?? null);
  const focusId = rows.some((row) => row.span.id === focus) ? focus : (rows[0]?.span.id ?? null);

  const fold = (id: string, yes: boolean) =>
    setFolded((before) => {
      const next = new Set(before);
      if (yes) next.add(id);
      else next.delete(id);
      return next;
    });
  const goTo = (index: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (!row) return;
    setFocus(row.span.id);
    tree.current?.querySelector<HTMLElement>(`[data-span="${CSS.escape(row.span.id)}"]`)?.focus();
    if (chosen) onChoose(row.span);
  };
  const onKey = (event: KeyboardEvent) => {
    const at = rows.findIndex((row) => row.span.id === focusId);
    const row = rows[at];
    if (!row) return;
    const isOpen = row.hasChildren && !folded.has(row.span.id);
    const parentAt = rows.findLastIndex((r, i) => i < at && r.depth < row.depth);
    const act: Record<string, () => void> = {
      ArrowDown: () => goTo(at + 1),
      ArrowUp: () => goTo(at - 1),
      j: () => goTo(at + 1),
      k: () => goTo(at - 1),
      Home: () => goTo(0),
      End: () => goTo(rows.length - 1),
      ArrowRight: () => (row.hasChildren && !isOpen ? fold(row.span.id, false) : isOpen ? goTo(at + 1) : undefined),
      ArrowLeft: () => (isOpen ? fold(row.span.id, true) : parentAt >= 0 ? goTo(parentAt) : undefined),
      Enter: () => onChoose(chosen?.id === row.span.id ? null : row.span),
      " ": () => onChoose(chosen?.id === row.span.id ? null : row.span),
      Escape: () => onChoose(null),
    };
    const command = event.ctrlKey || event.metaKey || event.altKey ? undefined : act[event.key];
    if (!command) return;
    event.preventDefault();
    event.stopPropagation();
    command();
  };
  const marks = ticks(fall, matchMedia("(width < 40rem)").matches ? 0.26 : 0.11);
  return (
    <div className="min-w-0">
      <div className="grid h-8 grid-cols-[minmax(0,1fr)] border-b border-line sm:grid-cols-[minmax(11rem,19rem)_minmax(0,1fr)]" aria-hidden="true">
        <div className="flex items-center px-4 label max-sm:hidden sm:px-6">Step</div>
        <div className="relative mx-4 sm:mr-20 sm:ml-0">
          {marks.map((mark) => (
            <span key={mark.x} className="absolute top-0 flex h-full w-0 items-center text-2xs whitespace-nowrap text-faint figures" style={{ left: `${mark.x * 100}%` }}>
              <i className="absolute bottom-0 left-0 h-1.5 w-px bg-line-strong" />
              <span className={cx("pl-1", mark.x > 0.86 && "max-sm:-translate-x-full max-sm:pr-1 max-sm:pl-0")}>{mark.ms === 0 ? "0" : `${mark.relative ? "+" : ""}${duration(mark.ms)}`}</span>
            </span>
          ))}
          {fall.stretches
            .filter((s) => s.cut)
            .map((s) => (
              <span key={s.from} className="absolute inset-y-0 flex items-center justify-center border-x border-dashed border-line-strong/60 bg-sunken text-2xs whitespace-nowrap text-muted figures" style={{ left: `${s.x0 * 100}%`, width: `${(s.x1 - s.x0) * 100}%` }}>
                <span className="overflow-hidden max-sm:hidden">{duration(s.to - s.from)}</span>
              </span>
            ))}
        </div>
      </div>
      <div ref={tree} role="tree" aria-label="Steps of the trace" onKeyDown={onKey} className="pb-2">
        {rows.map((row) => (
          <SpanRow
            key={row.span.id}
            row={row}
            fall={fall}
            open={row.hasChildren ? !folded.has(row.span.id) : undefined}
            chosen={row.span.id === chosen?.id}
            focusable={row.span.id === focusId}
            onFold={(yes) => fold(row.span.id, yes)}
            onChoose={() => {
              setFocus(row.span.id);
              onChoose(row.span.id === chosen?.id ? null : row.span);
            }}
          />
        ))}
      </div>
    </div>
  );
}

function visible(rows: Row[], folded: ReadonlySet<string>): Row[] {
  const out: Row[] = [];
  let hiddenBelow = Number.POSITIVE_INFINITY;
  for (const row of rows) {
    if (row.depth > hiddenBelow) continue;
    hiddenBelow = folded.has(row.span.id) ? row.depth : Number.POSITIVE_INFINITY;
    out.push(row);
  }
  return out;
}

function SpanRow({ row, fall, open, chosen, focusable, onFold, onChoose }: { row: Row; fall: Waterfall; open: boolean | undefined; chosen: boolean; focusable: boolean; onFold: (yes: boolean) => void; onChoose: () => void }) {
  const { span } = row;
  const kind = kindOf(span);
  const from = fall.at(row.from) * 100;
  const to = fall.at(row.to) * 100;
  const length = row.to - row.from;
  // A duration that stands left of its bar stands left of the waiting before it as well.
  const head = Math.min(from, ...row.waits.map((wait) => fall.at(wait.from) * 100));
  const leftward = to > 86 && head > 14;
  const isJob = span.kind === "job";
  const waiting = span.status === "waiting";
  return (
    <div
      role="treeitem"
      data-span={span.id}
      aria-level={row.depth + 1}
      aria-expanded={open}
      aria-selected={chosen}
      tabIndex={focusable ? 0 : -1}
      onClick={onChoose}
      className={cx(
        "group relative grid min-h-8 grid-cols-[minmax(0,1fr)] items-center border-b border-line/50 outline-none transition-colors sm:grid-cols-[minmax(11rem,19rem)_minmax(0,1fr)]",
        chosen ? "bg-hover" : "hover:bg-hover",
        "focus-visible:bg-hover focus-visible:shadow-[inset_2px_0_0_var(--accent)]",
      )}
    >
      <div className="flex min-w-0 items-center gap-1.5 pr-3 [--pad:1.25rem] max-sm:pt-1 sm:[--pad:1.75rem]" style={{ paddingLeft: `calc(${row.depth * 0.875}rem + var(--pad))` }}>
        {open !== undefined ? (
          <button
            type="button"
            tabIndex={-1}
            aria-hidden="true"
            onClick={(event) => {
              event.stopPropagation();
              onFold(open);
            }}
            className="-ml-1 grid size-4 shrink-0 place-items-center rounded text-faint hover:text-ink"
          >
            <ChevronRight className={cx("size-3 transition-transform", open && "rotate-90")} />
          </button>
        ) : (
          <span className="-ml-1 w-4 shrink-0" />
        )}
        <span className={cx("size-2 shrink-0 rounded-[2px]", isJob || waiting ? "border border-(--k-job) hatch" : kind.dot)} aria-hidden="true" />
        <span className="sr-only">{kind.name} </span>
        <span className="min-w-0 truncate">{nameOf(span)}</span>
        <span className="sr-only">, {span.status}, </span>
        {span.status !== "ok" && <Glyph shape={shapeOf(span.status)} className="size-3" />}
      </div>
      <div className="relative mx-4 h-8 max-sm:h-6 sm:mr-20 sm:ml-0">
        {fall.stretches.filter((s) => s.cut).map((s) => (
          <Cut key={s.from} x0={s.x0} x1={s.x1} />
        ))}
        {row.waits.map((wait) => {
          const x0 = fall.at(wait.from) * 100;
          const x1 = fall.at(wait.to) * 100;
          return <span key={wait.from} title={`waited ${duration(wait.to - wait.from)}`} className="absolute top-1/2 h-3 -translate-y-1/2 border-y border-line-strong/70 hatch" style={{ left: `${x0}%`, width: `${x1 - x0}%` }} />;
        })}
        <span
          className={cx(
            "absolute top-1/2 h-3 min-w-[3px] -translate-y-1/2 rounded-[2px]",
            isJob ? cx("border", span.status === "error" ? "border-bad" : "border-(--k-job)") : waiting ? "border border-dashed border-control" : span.status === "error" ? "bg-bad" : kind.bar,
            row.open && "rounded-r-none animate-breathe",
          )}
          style={{ left: `min(${from}%, calc(100% - 3px))`, width: `${to - from}%` }}
        />
        <span
          className={cx("absolute top-1/2 -translate-y-1/2 text-2xs whitespace-nowrap text-muted figures max-sm:hidden", leftward ? "-translate-x-full pr-1.5" : "pl-1.5")}
          style={{ left: leftward ? `${head}%` : `max(${to}%, ${from}% + 3px)` }}
        >
          {took(length)}
        </span>
      </div>
    </div>
  );
}

/** Where the axis is broken: time passed here in which nothing ran. */
function Cut({ x0, x1 }: { x0: number; x1: number }) {
  return <span className="absolute inset-y-0 border-x border-dashed border-line-strong/60 bg-sunken/60" style={{ left: `${x0 * 100}%`, width: `${(x1 - x0) * 100}%` }} />;
}

function SpanPanel({ span, fall, onClose }: { span: Span; fall: Waterfall; onClose: () => void }) {
  const row = fall.rows.find((r) => r.span.id === span.id);
  const kind = kindOf(span);
  const waited = row?.waits.reduce((sum, wait) => sum + wait.to - wait.from, 0) ?? 0;
  return (
    <aside aria-label="Chosen step" className="border-t border-line bg-ground xl:border-t-0 xl:border-l">
      <div className="sticky top-0 max-h-dvh overflow-y-auto px-4 py-4 max-xl:static sm:px-6" tabIndex={0}>
        <div className="flex items-start gap-3">
          <div className="min-w-0 flex-1">
            <p className="flex items-center gap-1.5 text-xs text-muted">
              <span className={cx("size-2 rounded-[2px]", kind.dot)} aria-hidden="true" />
              {kind.name}
            </p>
            <h2 className="mt-0.5 font-medium break-words">{nameOf(span)}</h2>
          </div>
          <button type="button" onClick={onClose} className="rounded text-xs text-muted hover:text-ink">
            Close
          </button>
        </div>
        <Facts
          className="mt-3"
          rows={[
            ["State", <State key="s" state={span.status} />],
            ["Began", `+${duration(row?.from ?? 0)}`],
            ["Took", row?.open ? `${duration(row.to - row.from)} so far` : took((row?.to ?? 0) - (row?.from ?? 0))],
            ...(waited > 0 ? ([["Waited", duration(waited)]] as [string, string][]) : []),
            ["At", <Instant key="a" at={span.started_at} />],
            ["Id", <IdText key="i" id={span.id} />],
          ]}
        />
        <h3 className="label mt-4 mb-1.5">Attributes</h3>
        {Object.keys(span.attributes).length === 0 ? <p className="text-muted">None recorded.</p> : <JsonView value={span.attributes} label="Attributes" />}
      </div>
    </aside>
  );
}

function Legend({ spans }: { spans: Span[] }) {
  const kinds = [...new Set(spans.map((span) => span.kind))];
  return (
    <ul className="flex flex-wrap gap-x-5 gap-y-1 border-t border-line px-4 py-3 text-xs text-muted sm:px-6" aria-label="Legend">
      {kinds.map((kind) => (
        <li key={kind} className="flex items-center gap-1.5">
          <span className={cx("size-2 rounded-[2px]", kind === "job" ? "border border-(--k-job) hatch" : (KINDS[kind]?.dot ?? UNKNOWN_KIND.dot))} aria-hidden="true" />
          {KINDS[kind]?.name ?? words(kind)}
        </li>
      ))}
      <li className="flex items-center gap-1.5">
        <span className="h-2 w-4 border-y border-line-strong hatch" aria-hidden="true" />
        waiting
      </li>
      <li className="flex items-center gap-1.5">
        <span className="h-2.5 w-3 border-x border-dashed border-line-strong bg-sunken" aria-hidden="true" />
        idle time, drawn short
      </li>
    </ul>
  );
}
