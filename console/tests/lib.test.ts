import { describe, expect, it } from "vitest";
import type { FormDefinition, FormField } from "../src/api/models";
import { addField, changeField, choicesFromText, choicesToText, fieldsOf, keyFrom, moveField, placeOf, removeField, textOf, withText } from "../src/lib/definition";
import { bytes, count, percent, plain, rate, shortId } from "../src/lib/format";
import { tokenIn } from "../src/lib/fragment";
import { readActor, routeForId } from "../src/lib/ids";
import { rank } from "../src/lib/rank";
import { addSample, NO_SAMPLES, SAMPLES_MAX } from "../src/lib/samples";
import { ago, duration } from "../src/lib/time";
import { linePath, roundUp } from "../src/ui/Chart";

describe("durations", () => {
  it.each([
    [0, "0 ms"], [0.42, "0.42 ms"], [4.04, "4 ms"], [12.6, "13 ms"], [999, "999 ms"], [1_250, "1.25 s"], [59_900, "59.9 s"], [62_000, "1m 02s"], [3_600_000, "1h 00m"], [180_000_000, "2d 2h"], [Number.NaN, "—"], [-5, "−5 ms"],
  ])("%d is %s", (ms, text) => expect(duration(ms)).toBe(text));
});

describe("ago", () => {
  const now = Date.parse("2026-11-22T12:00:00Z");
  it.each([
    ["2026-11-22T11:59:59Z", "now"], ["2026-11-22T12:00:01Z", "now"], ["2026-11-22T11:59:18Z", "42s ago"], ["2026-11-22T11:00:00Z", "1h ago"], ["2026-11-22T12:04:00Z", "in 4m"], ["2026-11-01T12:00:00Z", "1 Nov"], ["2025-11-01T12:00:00Z", "1 Nov 2025"], ["nonsense", "—"],
  ])("%s is %s", (at, text) => expect(ago(at, now)).toBe(text));
});

describe("figures", () => {
  it("never round an error away", () => {
    expect(percent(0)).toBe("0%");
    expect(percent(0.00001)).toBe("<0.01%");
    expect(percent(0.0042)).toBe("0.42%");
  });
  it("fit a cell", () => {
    expect(count(9_999)).toBe("9,999");
    expect(count(12_400)).toBe("12.4k");
    expect(count(3_100_000)).toBe("3.1M");
    expect(rate(0.5)).toBe("0.50");
    expect(bytes(1_536)).toBe("1.5 KiB");
  });
  it("say values plainly", () => {
    expect(plain(true)).toBe("Yes");
    expect(plain(["a", 1])).toBe("a, 1");
    expect(plain(null)).toBe("");
  });
});

describe("ids", () => {
  const id = "sub_01k8m5dy739ze6h5ebf7t3b4v3";
  it("lead somewhere when they are whole and known", () => {
    expect(routeForId(` ${id} `)).toBe(`/submissions/${id}`);
    expect(routeForId("1993075e0ec9135ff172a23c29467d00")).toBe("/traces/1993075e0ec9135ff172a23c29467d00");
    expect(routeForId("sub_short")).toBeNull();
    expect(routeForId("zzz_01k8m5dy739ze6h5ebf7t3b4v3")).toBeNull();
    expect(routeForId("//evil.example")).toBeNull();
  });
  it("are told apart by their end", () => expect(shortId(id)).toBe("sub_…t3b4v3"));
  it("of actors are split from their kind", () => {
    expect(readActor("member:mbr_1")).toEqual({ kind: "member", id: "mbr_1" });
    expect(readActor("anonymous")).toEqual({ kind: "anonymous", id: "" });
  });
});

describe("one-time tokens", () => {
  it("are read from the fragment, and from nothing that only looks like it", () => {
    expect(tokenIn("#setup=abc-_1", "setup")).toBe("abc-_1");
    expect(tokenIn("invite=a%2Fb", "invite")).toBe("a/b");
    expect(tokenIn("#setup=abc", "invite")).toBeUndefined();
    expect(tokenIn("#setup=%E0%A4%A", "setup")).toBeUndefined();
    expect(tokenIn("", "setup")).toBeUndefined();
  });
});

describe("the palette's ranking", () => {
  const names = ["Overview", "Requests", "Submissions", "API keys", "Create an API key"];
  it("puts beginnings first and forgives letters left out", () => {
    expect(rank("re", names, (n) => n)[0]).toBe("Requests");
    expect(rank("key", names, (n) => n)).toEqual(["API keys", "Create an API key"]);
    expect(rank("sbm", names, (n) => n)).toEqual(["Submissions"]);
    expect(rank("", names, (n) => n)).toEqual(names);
    expect(rank("xyz", names, (n) => n)).toEqual([]);
  });
});

describe("form definitions", () => {
  const item = (key: string, type: FormField["type"] = "text"): FormField => ({ id: `fl_${key}`, key, type, label: { en: key.toUpperCase(), fr: "Bonjour" } });
  const form: FormDefinition = { lang: 1, default_locale: "en", pages: [{ id: "p1", items: [item("a"), item("b", "email")] }, { id: "p2", items: [item("c")] }] };
  const keys = (definition: FormDefinition) => definition.pages.map((page) => page.items.map((f) => f.key).join(""));

  it("get keys that are valid and their own", () => {
    expect(keyFrom("E-mail (work)", [])).toBe("e_mail_work");
    expect(keyFrom("Größe", ["grosse"])).toBe("gro_e");
    expect(keyFrom("2nd choice", [])).toBe("nd_choice");
    expect(keyFrom("???", ["field"])).toBe("field_2");
  });
  it("are never changed in place, nor past their ends", () => {
    expect(moveField(form, 0, -1)).toBe(form);
    expect(moveField(form, 2, 1)).toBe(form);
    expect(keys(moveField(form, 0, 1))).toEqual(["ba", "c"]);
    expect(keys(form)).toEqual(["ab", "c"]);
    expect(keys(removeField(form, 2))).toEqual(["ab", ""]);
    expect(placeOf(form, 2)).toEqual({ page: 1, item: 0 });
  });
  it("carry a field over to the neighbouring page", () => {
    expect(keys(moveField(form, 1, 1))).toEqual(["a", "bc"]);
    expect(keys(moveField(form, 2, -1))).toEqual(["abc", ""]);
  });
  it("keep languages that are not shown", () => {
    const changed = withText(form, form.pages[0]?.items[0]?.label, "Name");
    expect(changed).toEqual({ en: "Name", fr: "Bonjour" });
    expect(withText(form, changed, "")).toEqual({ fr: "Bonjour" });
    expect(textOf(form, undefined)).toBe("");
  });
  it("leave out what does not belong to a field's kind", () => {
    const changed = changeField(form, 0, { type: "checkbox", max_length: 3, pattern: "x" });
    expect(changed.pages[0]?.items[0]).not.toHaveProperty("max_length");
    expect(changed.pages[0]?.items[0]).not.toHaveProperty("pattern");
    expect(changeField(form, 1, { max_length: 254 }).pages[0]?.items[1]).toMatchObject({ max_length: 254 });
  });
  it("give a new field an id nobody has", () => {
    const twice = addField(addField(form, "choice"), "choice");
    const ids = fieldsOf(twice).map((f) => f.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(addField({ lang: 1, pages: [] }, "text").pages).toHaveLength(1);
  });
  it("read choices from lines, keep the ids of those that were there, and write them back", () => {
    const before = [{ id: "ch_x9", key: "q", label: { en: "Question", fr: "Question" } }];
    const choices = choicesFromText(form, "Working together\n q | A question\n\nWorking together", before);
    expect(choices.map((c) => [c.id, c.key, textOf(form, c.label)])).toEqual([["ch_working_together", "working_together", "Working together"], ["ch_x9", "q", "A question"], ["ch_working_together_2", "working_together_2", "Working together"]]);
    expect(choices[1]?.label?.fr).toBe("Question");
    expect(choicesFromText(form, choicesToText(form, choices), choices)).toEqual(choices);
  });
});

describe("samples", () => {
  const reading = (at: string, per_second: number) =>
    ({ at, requests: { per_second, error_ratio: 0.5, p99_ms: 1, series: [], error_series: [], p99_series: [] }, store: { commit_p99_ms: 2 }, events: { lag: 0 }, jobs: { due: 1, running: 1 }, deliveries: { today: 0 } }) as never;
  it("are remembered once each and only so many", () => {
    let samples = addSample(NO_SAMPLES, reading("2026-11-22T12:00:00.000Z", 4));
    samples = addSample(samples, reading("2026-11-22T12:00:00.000Z", 4));
    expect(samples.requests).toHaveLength(1);
    expect(samples.errors[0]?.value).toBe(2);
    for (let i = 1; i < 200; i += 1) samples = addSample(samples, reading(new Date(Date.parse("2026-11-22T12:00:00Z") + i * 2000).toISOString(), i));
    expect(samples.requests).toHaveLength(SAMPLES_MAX);
  });
});

describe("charts", () => {
  it("scale to a round number and draw inside the view", () => {
    expect([0, 0.3, 7, 18, 23, 99].map(roundUp)).toEqual([1, 0.5, 10, 20, 25, 100]);
    expect(linePath([0, 5, 10], 10, 100, 100)).toBe("M0.0 100.0L50.0 50.0L100.0 0.0");
    expect(linePath([], 1)).toBe("");
  });
});
