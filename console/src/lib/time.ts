const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long ago, in the shortest form that is still exact enough to act on: `now`, `42s`, `5m`, `3h`, `2d`, then the date. */
export function ago(at: string, now: number): string {
  const elapsed = now - Date.parse(at);
  if (Number.isNaN(elapsed)) return "—";
  if (elapsed > -2_000 && elapsed < 2_000) return "now";
  if (elapsed < 0) return `in ${span(-elapsed)}`;
  if (elapsed < 7 * DAY) return `${span(elapsed)} ago`;
  return day(at, now);
}

function span(ms: number): string {
  if (ms < MINUTE) return `${Math.floor(ms / 1000)}s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)}h`;
  return `${Math.floor(ms / DAY)}d`;
}

/** The date alone, with the year only when it is not this one. */
export function day(at: string, now: number): string {
  const date = new Date(at);
  const sameYear = date.getFullYear() === new Date(now).getFullYear();
  return date.toLocaleDateString("en-GB", { day: "numeric", month: "short", ...(sameYear ? {} : { year: "numeric" }) });
}

/** The full instant in the reader's zone, to the millisecond. */
export function instant(at: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return at;
  const text = date.toLocaleString("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZoneName: "short",
  });
  return text;
}

/** The time of day with milliseconds: what a tail shows. */
export function clock(at: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return at;
  return `${date.toLocaleTimeString("en-GB")}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** A duration with the unit that keeps it to three digits or so: `0.42 ms`, `12 ms`, `1.25 s`, `4m 05s`, `3h 10m`, `2d 4h`. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return "—";
  if (ms < 0) return `−${duration(-ms)}`;
  if (ms === 0) return "0 ms";
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 10) return `${trim(ms.toFixed(1))} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < MINUTE) return `${trim((ms / 1000).toFixed(ms < 10_000 ? 2 : 1))} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m ${String(Math.floor((ms % MINUTE) / 1000)).padStart(2, "0")}s`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)}h ${String(Math.floor((ms % HOUR) / MINUTE)).padStart(2, "0")}m`;
  return `${Math.floor(ms / DAY)}d ${Math.floor((ms % DAY) / HOUR)}h`;
}

function trim(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
