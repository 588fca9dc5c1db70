import { describe, expect, it } from "vitest";
import type { Span } from "../src/api/models";
import { layOut, ticks, union } from "../src/lib/waterfall";

const T0 = Date.parse("2026-11-22T12:00:00.000Z");
const iso = (ms: number) => new Date(T0 + ms).toISOString();

function span(id: string, parent: string | null, kind: Span["kind"], from: number, to: number | null, status: Span["status"] = "ok"): Span {
  return { id, parent_id: parent, kind, name: id, status, started_at: iso(from), ended_at: to === null ? null : iso(to), attributes: {} };
}

describe("layOut", () => {
  it("tells the story depth first, children by their start", () => {
    const fall = layOut([span("late", "root", "command", 8, 9), span("root", null, "request", 0, 10), span("early", "root", "command", 1, 4), span("leaf", "early", "event", 3, 4)], T0);
    expect(fall.rows.map((row) => [row.span.id, row.depth])).toEqual([["root", 0], ["early", 1], ["leaf", 2], ["late", 1]]);
  });

  it("keeps every span, even orphans and cycles", () => {
    const fall = layOut([span("orphan", "nobody", "event", 0, 1), span("a", "b", "event", 1, 2), span("b", "a", "event", 2, 3), span("self", "self", "event", 3, 4)], T0);
    expect(fall.rows.map((row) => row.span.id).sort()).toEqual(["a", "b", "orphan", "self"]);
  });

  it("draws a short trace to one scale", () => {
    const fall = layOut([span("root", null, "request", 0, 100), span("child", "root", "command", 25, 75)], T0);
    expect(fall.stretches).toHaveLength(1);
    expect(fall.at(0)).toBe(0);
    expect(fall.at(25)).toBeCloseTo(0.25);
    expect(fall.at(100)).toBeCloseTo(1);
  });

  it("cuts long idle time so that work stays visible", () => {
    const fall = layOut([span("root", null, "request", 0, 10), span("job", "root", "job", 10, 300_200), span("first", "job", "attempt", 12, 200), span("second", "job", "attempt", 300_000, 300_200)], T0);
    expect(fall.stretches.map((s) => s.cut)).toEqual([false, true, false]);
    expect(fall.at(300_200) - fall.at(300_000)).toBeGreaterThan(0.3);
    expect(fall.busy).toBe(10 + 188 + 200);
    expect(fall.total).toBe(300_200);
  });

  it("never runs backwards and never leaves the width", () => {
    const fall = layOut([span("root", null, "request", 0, 3), span("job", "root", "job", 3, 90_000), span("one", "job", "attempt", 40_000, 40_100), span("two", "job", "attempt", 89_000, 90_000)], T0);
    let before = 0;
    for (let ms = -5; ms <= 95_000; ms += 37) {
      const x = fall.at(ms);
      expect(x).toBeGreaterThanOrEqual(before);
      expect(x).toBeLessThanOrEqual(1);
      before = x;
    }
  });

  it("shades what a job waited for: before, between and after its attempts", () => {
    const fall = layOut([span("job", null, "job", 0, 100), span("one", "job", "attempt", 10, 20), span("two", "job", "attempt", 60, 90)], T0);
    expect(fall.rows[0]?.waits).toEqual([{ from: 0, to: 10 }, { from: 20, to: 60 }, { from: 90, to: 100 }]);
  });

  it("shades the time between a cause's end and its consumer's start", () => {
    const fall = layOut([span("event", null, "event", 0, 1), span("consumer", "event", "consumer", 6, 8)], T0);
    expect(fall.rows[1]?.waits).toEqual([{ from: 1, to: 6 }]);
  });

  it("ends what is still open now", () => {
    const fall = layOut([span("job", null, "job", 0, null, "waiting")], T0 + 4_000);
    expect(fall.rows[0]).toMatchObject({ to: 4_000, open: true, waits: [{ from: 0, to: 4_000 }] });
  });

  it("does not mind an empty trace, or one that took no time", () => {
    expect(layOut([], T0).rows).toEqual([]);
    const fall = layOut([span("root", null, "request", 0, 0)], T0);
    expect(fall.at(0)).toBe(0);
    expect(ticks(fall)).toHaveLength(1);
  });
});

describe("ticks", () => {
  it("stay apart", () => {
    const fall = layOut([span("root", null, "request", 0, 337)], T0);
    const xs = ticks(fall, 0.1).map((tick) => tick.x);
    for (let i = 1; i < xs.length; i += 1) expect((xs[i] ?? 0) - (xs[i - 1] ?? 0)).toBeGreaterThanOrEqual(0.08);
    expect(xs.length).toBeGreaterThan(3);
  });

  it("count from the last cut, because milliseconds on top of minutes say nothing", () => {
    const fall = layOut([span("a", null, "attempt", 0, 400), span("b", null, "attempt", 60_000, 60_400)], T0);
    const after = ticks(fall, 0.1).filter((tick) => tick.x > 0.5);
    expect(after[0]).toMatchObject({ ms: 60_000, relative: false });
    expect(after[1]).toMatchObject({ ms: 100, relative: true });
  });
});

describe("union", () => {
  it("joins what overlaps or touches", () => {
    expect(union([{ from: 5, to: 9 }, { from: 0, to: 2 }, { from: 2, to: 4 }, { from: 6, to: 7 }])).toEqual([{ from: 0, to: 4 }, { from: 5, to: 9 }]);
  });
});
