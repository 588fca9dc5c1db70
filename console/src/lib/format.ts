/** A count that fits a table cell: `0`, `982`, `12.4k`, `3.1M`. */
export function count(n: number): string {
  if (!Number.isFinite(n)) return "—";
  if (Math.abs(n) < 10_000) return Math.round(n).toLocaleString("en-GB");
  if (Math.abs(n) < 1_000_000) return `${(n / 1000).toFixed(Math.abs(n) < 100_000 ? 1 : 0)}k`;
  return `${(n / 1_000_000).toFixed(1)}M`;
}

/** A rate: three significant digits, no more. */
export function rate(n: number): string {
  if (!Number.isFinite(n)) return "—";
  if (n === 0) return "0";
  if (n < 10) return n.toFixed(n < 1 ? 2 : 1);
  return count(n);
}

/** A ratio as a percentage that never rounds a real error away to zero. */
export function percent(ratio: number): string {
  if (!Number.isFinite(ratio)) return "—";
  const value = ratio * 100;
  if (value === 0) return "0%";
  if (value < 0.01) return "<0.01%";
  return `${value < 10 ? value.toFixed(2) : value.toFixed(1)}%`;
}

/** A size in binary units. */
export function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  if (n < 1024 * 1024) return `${(n / 1024).toFixed(1)} KiB`;
  return `${(n / 1024 / 1024).toFixed(1)} MiB`;
}

/** One and many: `1 field`, `3 fields`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString("en-GB")} ${n === 1 ? one : many}`;
}

/** An id short enough for a row. Ids sort by time, so it is their end that tells them apart. */
export function shortId(id: string): string {
  const cut = id.indexOf("_");
  if (cut > 0 && id.length - cut > 12) return `${id.slice(0, cut)}_…${id.slice(-6)}`;
  if (/^[0-9a-f]{32}$/.test(id)) return `${id.slice(0, 8)}…`;
  return id;
}

/** `snake_case` and `dotted.names` as words. */
export function words(name: string): string {
  const text = name.replace(/[._]/g, " ").replace(/\b(json|api|url|ip|csv|id)\b/gi, (term) => term.toUpperCase());
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Any JSON value as one line of plain text. */
export function plain(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "Yes" : "No";
  if (Array.isArray(value)) return value.map(plain).join(", ");
  if (typeof value === "object") return JSON.stringify(value);
  return String(value);
}
