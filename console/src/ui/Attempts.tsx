import { clock, duration } from "../lib/time";
import { words } from "../lib/format";
import { Glyph, shapeOf } from "./State";
import { Ago } from "./Text";

export interface AttemptLine {
  id: string;
  number: number;
  started_at: string;
  finished_at?: string | null;
  outcome?: string | null;
  where?: string | null;
  note?: string | null;
}

/** Attempts down a line, with the wait between them written on it: back-off is time, and time is what one comes to see. */
export function Attempts({ attempts, empty }: { attempts: AttemptLine[]; empty: string }) {
  if (attempts.length === 0) return <p className="text-muted">{empty}</p>;
  const ordered = [...attempts].sort((a, b) => a.number - b.number);
  return (
    <ol>
      {ordered.map((attempt, index) => {
        const before = ordered[index - 1];
        const wait = before?.finished_at ? Date.parse(attempt.started_at) - Date.parse(before.finished_at) : 0;
        return (
          <li key={attempt.id}>
            {before && (
              <p className="ml-[6.5px] flex h-9 items-center border-l border-dashed border-line-strong pl-5 text-xs text-faint figures">waited {duration(wait)}</p>
            )}
            <div className="flex items-start gap-3.5">
              <Glyph shape={shapeOf(attempt.outcome ?? "running")} className="mt-[3px]" />
              <div className="min-w-0 flex-1">
                <p className="flex flex-wrap items-baseline gap-x-3">
                  <span className="font-medium">Attempt {attempt.number}</span>
                  <span className="text-muted">{words(attempt.outcome ?? "running")}</span>
                  {attempt.where && <span className="mono text-xs text-muted">{attempt.where}</span>}
                  <span className="ml-auto text-xs text-muted figures">
                    {clock(attempt.started_at)}
                    {attempt.finished_at && ` · ${duration(Date.parse(attempt.finished_at) - Date.parse(attempt.started_at))}`} · <Ago at={attempt.started_at} />
                  </span>
                </p>
                {attempt.note && <p className="mt-1 rounded-md border border-line bg-sunken px-2.5 py-1.5 font-mono text-xs break-words whitespace-pre-wrap">{attempt.note}</p>}
              </div>
            </div>
          </li>
        );
      })}
    </ol>
  );
}
