/**
 * The geometry of a trace, apart from how it is drawn.
 *
 * A trace mixes milliseconds of work with minutes of waiting for a retry. On a linear axis the work would be invisible, so long stretches
 * in which nothing runs are cut short, like the break in a technical drawing, and labelled with what they really lasted.
 */
import type { Span } from "../api/models";

export interface Stretch {
  /** Milliseconds since the trace began. */
  from: number;
  to: number;
  /** Fractions of the drawn width. */
  x0: number;
  x1: number;
  /** True for an idle stretch drawn shorter than it lasted. */
  cut: boolean;
}

export interface Wait {
  from: number;
  to: number;
}

export interface Row {
  span: Span;
  depth: number;
  hasChildren: boolean;
  /** Milliseconds since the trace began. */
  from: number;
  to: number;
  /** Stretches of this row in which it was due but not running: before its start, and between a job's attempts. */
  waits: Wait[];
  open: boolean;
}

export interface Waterfall {
  rows: Row[];
  stretches: Stretch[];
  /** Milliseconds from the first start to the last end. */
  total: number;
  /** Milliseconds in which something ran. */
  busy: number;
  at(ms: number): number;
}

/** Idle time longer than this many times the busy time is cut. */
const CUT_ABOVE_BUSY = 1.2;
/** What a cut keeps of the width, as a multiple of the busy time spread over all cuts. */
const CUT_WIDTH_OF_BUSY = 0.14;
/** A stretch between cuts shorter than this share of the busy time still gets a visible piece of the axis. */
const STRETCH_MIN_OF_BUSY = 0.08;
/** A wait shorter than this is the cost of a hand-over, not something to point at. */
const WAIT_MIN_MS = 0.5;

/** Lays a trace's spans out. `now` ends the spans that are still open. */
export function layOut(spans: Span[], now: number): Waterfall {
  if (spans.length === 0) return { rows: [], stretches: [], total: 0, busy: 0, at: () => 0 };
  const origin = Math.min(...spans.map((s) => Date.parse(s.started_at)));
  const ends = spans.map((s) => endOf(s, now));
  const total = Math.max(...ends, origin) - origin;
  const rows = ordered(spans).map(({ span, depth, hasChildren, parent }) => {
    const from = Date.parse(span.started_at) - origin;
    const to = endOf(span, now) - origin;
    return { span, depth, hasChildren, from, to, open: !span.ended_at, waits: waitsOf(span, parent, spans, origin, now) };
  });
  const busyParts = union(rows.filter(runs).map((r) => ({ from: r.from, to: r.to })));
  const busy = busyParts.reduce((sum, part) => sum + (part.to - part.from), 0);
  const stretches = axis(busyParts, total, busy);
  return { rows, stretches, total, busy, at: (ms) => place(stretches, ms) };
}

/** A job's own bar is its life, most of it waiting; its attempts are the work. A waiting span does not run either. */
function runs(row: Row): boolean {
  return row.span.kind !== "job" && row.span.status !== "waiting";
}

function endOf(span: Span, now: number): number {
  const start = Date.parse(span.started_at);
  const end = !span.ended_at ? now : Date.parse(span.ended_at);
  return Math.max(start, end);
}

/** Depth first, children by their start: the order in which the story is told. A span whose parent is unknown is a root. */
function ordered(spans: Span[]): { span: Span; depth: number; hasChildren: boolean; parent: Span | undefined }[] {
  const byId = new Map(spans.map((s) => [s.id, s]));
  const parentOf = ({ id, parent_id }: Span) => (parent_id && parent_id !== id && byId.has(parent_id) ? parent_id : null);
  const children = new Map<string | null, Span[]>();
  for (const span of spans) {
    const parent = parentOf(span);
    const siblings = children.get(parent) ?? [];
    siblings.push(span);
    children.set(parent, siblings);
  }
  for (const siblings of children.values()) siblings.sort(byStart);
  const out: { span: Span; depth: number; hasChildren: boolean; parent: Span | undefined }[] = [];
  const seen = new Set<string>();
  const visit = (span: Span, depth: number, parent: Span | undefined) => {
    if (seen.has(span.id)) return;
    seen.add(span.id);
    const below = children.get(span.id) ?? [];
    out.push({ span, depth, hasChildren: below.length > 0, parent });
    for (const child of below) visit(child, depth + 1, span);
  };
  for (const root of children.get(null) ?? []) visit(root, 0, undefined);
  // A cycle of parents has no root: its spans still have to be shown.
  for (const span of [...spans].sort(byStart)) visit(span, 0, undefined);
  return out;
}

function byStart(a: Span, b: Span): number {
  return Date.parse(a.started_at) - Date.parse(b.started_at) || a.id.localeCompare(b.id);
}

function waitsOf(span: Span, parent: Span | undefined, spans: Span[], origin: number, now: number): Wait[] {
  const start = Date.parse(span.started_at) - origin;
  const end = endOf(span, now) - origin;
  if (span.status === "waiting") return [{ from: start, to: end }];
  if (span.kind === "job") {
    const attempts = spans
      .filter((s) => s.parent_id === span.id && s.kind === "attempt")
      .map((s) => ({ from: Date.parse(s.started_at) - origin, to: endOf(s, now) - origin }));
    // Without attempts on record nobody knows what the job waited for.
    return attempts.length === 0 ? [] : gaps(union(attempts), start, end);
  }
  // Inside a job the job's own row already shows the wait before each attempt.
  if (!parent || span.kind === "attempt") return [];
  const cause = Math.min(endOf(parent, now) - origin, start);
  const wait = { from: Math.max(cause, Date.parse(parent.started_at) - origin), to: start };
  return wait.to - wait.from >= WAIT_MIN_MS ? [wait] : [];
}

function gaps(parts: Wait[], from: number, to: number): Wait[] {
  const out: Wait[] = [];
  let cursor = from;
  for (const part of parts) {
    if (part.from - cursor >= WAIT_MIN_MS) out.push({ from: cursor, to: part.from });
    cursor = Math.max(cursor, part.to);
  }
  if (to - cursor >= WAIT_MIN_MS) out.push({ from: cursor, to });
  return out;
}

/** The union of intervals, in order, touching ones joined. */
export function union(parts: Wait[]): Wait[] {
  const out: Wait[] = [];
  for (const part of [...parts].sort((a, b) => a.from - b.from)) {
    const last = out[out.length - 1];
    if (last && part.from <= last.to) last.to = Math.max(last.to, part.to);
    else out.push({ ...part });
  }
  return out;
}

/** Cuts, and between them stretches drawn to one scale. */
function axis(busyParts: Wait[], total: number, busy: number): Stretch[] {
  const unit = busy > 0 ? busy : total || 1;
  const cuts = busy > 0 ? gaps(busyParts, 0, total).filter((gap) => gap.to - gap.from > unit * CUT_ABOVE_BUSY) : [];
  const pieces: { from: number; to: number; weight: number; cut: boolean }[] = [];
  let cursor = 0;
  for (const cut of cuts) {
    if (cut.from > cursor) pieces.push(drawn(cursor, cut.from, unit));
    pieces.push({ from: cut.from, to: cut.to, weight: unit * CUT_WIDTH_OF_BUSY, cut: true });
    cursor = cut.to;
  }
  if (cursor < total || pieces.length === 0) pieces.push(drawn(cursor, total, unit));
  const sum = pieces.reduce((all, piece) => all + piece.weight, 0) || 1;
  let x = 0;
  return pieces.map(({ from, to, weight, cut }) => {
    const x0 = x;
    x += weight / sum;
    return { from, to, x0, x1: x, cut };
  });
}

function drawn(from: number, to: number, unit: number) {
  return { from, to, weight: Math.max(to - from, unit * STRETCH_MIN_OF_BUSY), cut: false };
}

function place(stretches: Stretch[], ms: number): number {
  let before = 0;
  for (const s of stretches) {
    if (ms < s.from) return s.x0;
    if (ms <= s.to) return s.to === s.from ? s.x0 : s.x0 + ((ms - s.from) / (s.to - s.from)) * (s.x1 - s.x0);
    before = s.x1;
  }
  return Math.min(1, before);
}

export interface Tick {
  x: number;
  /** Milliseconds since the trace began, or since the last cut: what a label should say. */
  ms: number;
  /** True for a tick counted from the last cut. */
  relative: boolean;
}

/**
 * Marks for the axis: where each stretch begins, and round offsets inside it, never closer than `apart` of the width. After a cut the
 * offsets are counted from its end: milliseconds added to minutes would say nothing.
 */
export function ticks(fall: Waterfall, apart = 0.12): Tick[] {
  const out: Tick[] = [];
  fall.stretches.forEach((stretch, index) => {
    if (stretch.cut) return;
    const afterCut = index > 0;
    const room = Math.floor((stretch.x1 - stretch.x0) / apart);
    // A short stretch after a cut has no room for a label beside the cut's own.
    if (afterCut && room < 1) return;
    const step = nice((stretch.to - stretch.from) / Math.max(1, room));
    for (let ms = 0; ms <= stretch.to - stretch.from; ms += step) {
      const x = fall.at(stretch.from + ms);
      const last = out[out.length - 1];
      if (last && x - last.x < apart * 0.8) continue;
      out.push({ x, ms: ms === 0 ? stretch.from : ms, relative: afterCut && ms > 0 });
      if (room < 1 || step <= 0) break;
    }
  });
  return out;
}

function nice(raw: number): number {
  const power = 10 ** Math.floor(Math.log10(raw || 1));
  const lead = raw / power;
  return (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10) * power;
}
