import { type PointerEvent, useId, useState } from "react";
import type { Point } from "../api/models";
import { clock } from "../lib/time";
import { cx } from "./cx";

const VIEW_WIDTH = 600;
const VIEW_HEIGHT = 100;

/** Points as a path across the whole view, from 0 to `top`. */
export function linePath(values: number[], top: number, width = VIEW_WIDTH, height = VIEW_HEIGHT): string {
  if (values.length === 0) return "";
  const last = Math.max(1, values.length - 1);
  return values.map((value, i) => `${i === 0 ? "M" : "L"}${((i / last) * width).toFixed(1)} ${(height - (Math.min(value, top) / top) * height).toFixed(1)}`).join("");
}

/** The next round number above: 1, 2, 2.5, 5 times a power of ten. */
export function roundUp(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  for (const step of [1, 2, 2.5, 5, 10]) if (value <= step * power) return step * power;
  return 10 * power;
}

/** The shape of a figure's last minutes. The figure itself stands beside it, so it needs no words of its own. */
export function Spark({ points, className, tone = "text-accent" }: { points: Point[]; className?: string; tone?: string }) {
  const values = points.map((p) => p.value);
  const top = Math.max(...values, 0) * 1.5 || 1;
  const line = linePath(values, top);
  return (
    <svg viewBox={`0 0 ${VIEW_WIDTH} ${VIEW_HEIGHT}`} preserveAspectRatio="none" className={cx("block w-full overflow-visible", tone, className)} aria-hidden="true">
      <line x1="0" x2={VIEW_WIDTH} y1={VIEW_HEIGHT} y2={VIEW_HEIGHT} stroke="var(--line-strong)" strokeWidth="1" vectorEffect="non-scaling-stroke" />
      {values.length > 1 && (
        <>
          <path d={`${line}L${VIEW_WIDTH} ${VIEW_HEIGHT}L0 ${VIEW_HEIGHT}Z`} fill="currentColor" opacity=".1" />
          <path d={line} fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinejoin="round" vectorEffect="non-scaling-stroke" />
        </>
      )}
    </svg>
  );
}

export interface Series {
  name: string;
  points: Point[];
  /** A text colour class: the line is drawn in the current colour. */
  tone: string;
  fill?: boolean;
  format: (value: number) => string;
}

/** A time series with a scale, read with the pointer or the arrow keys. */
export function TimeChart({ title, series, className, empty }: { title: string; series: Series[]; className?: string; empty: string }) {
  const [at, setAt] = useState<number | null>(null);
  const id = useId();
  const length = Math.max(...series.map((s) => s.points.length), 0);
  const top = roundUp(Math.max(...series.flatMap((s) => s.points.map((p) => p.value)), 0));
  const main = series[0];
  const index = at === null ? null : Math.min(at, length - 1);
  if (!main) return null;
  const follow = (event: PointerEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    setAt(Math.round(((event.clientX - box.left) / box.width) * (length - 1)));
  };
  const shown = index ?? length - 1;
  return (
    <figure className={cx("min-w-0", className)}>
      <figcaption id={id} className="mb-2 flex flex-wrap items-baseline gap-x-4 gap-y-0.5">
        <span className="font-semibold">{title}</span>
        <span className="ml-auto flex flex-wrap gap-x-4 text-xs text-muted figures">
          {series.map((s) => (
            <span key={s.name}>
              <i className={cx("mr-1.5 inline-block h-0.5 w-3 rounded bg-current align-middle", s.tone)} aria-hidden="true" />
              {s.name} <b className="font-medium text-ink">{s.points[shown] ? s.format(s.points[shown].value) : "—"}</b>
            </span>
          ))}
          <span className="w-20 text-right text-faint">{index !== null && main.points[index] ? clock(main.points[index].at).slice(0, 5) : "now"}</span>
        </span>
      </figcaption>
      <div className="flex gap-2">
        <div className="flex w-11 shrink-0 flex-col justify-between text-right text-2xs whitespace-nowrap text-faint figures" aria-hidden="true">
          <span className="-mt-2">{main.format(top)}</span>
          <span>{main.format(top / 2)}</span>
          <span className="-mb-2">0</span>
        </div>
        <div className="relative min-w-0 flex-1">
          {length < 2 && <p className="absolute inset-0 grid place-items-center text-xs text-faint">{empty}</p>}
          <svg
            viewBox={`0 0 ${VIEW_WIDTH} ${VIEW_HEIGHT}`}
            preserveAspectRatio="none"
            className="block h-36 w-full touch-pan-y overflow-visible"
            role="img"
            aria-labelledby={id}
            onPointerMove={follow}
            onPointerLeave={() => setAt(null)}
          >
            {[0, 0.5, 1].map((y) => (
              <line key={y} x1="0" x2={VIEW_WIDTH} y1={y * VIEW_HEIGHT} y2={y * VIEW_HEIGHT} stroke={y === 1 ? "var(--line-strong)" : "var(--line)"} vectorEffect="non-scaling-stroke" />
            ))}
            {series.map((s) => {
              const line = linePath(s.points.map((p) => p.value), top);
              if (s.points.length < 2) return null;
              return (
                <g key={s.name} className={s.tone}>
                  {s.fill && <path d={`${line}L${VIEW_WIDTH} ${VIEW_HEIGHT}L0 ${VIEW_HEIGHT}Z`} fill="currentColor" opacity=".1" />}
                  <path d={line} fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinejoin="round" vectorEffect="non-scaling-stroke" />
                </g>
              );
            })}
            {index !== null && length > 1 && (
              <line x1={(index / (length - 1)) * VIEW_WIDTH} x2={(index / (length - 1)) * VIEW_WIDTH} y1="0" y2={VIEW_HEIGHT} stroke="var(--muted)" vectorEffect="non-scaling-stroke" />
            )}
          </svg>
        </div>
      </div>
    </figure>
  );
}
