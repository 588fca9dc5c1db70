import { RotateCw } from "lucide-react";
import { otherErrors, toProblem } from "../api/problem";
import { Button } from "./Button";
import { cx } from "./cx";
import { Glyph } from "./State";
import { CopyButton } from "./Text";
import { To } from "./To";

/** A problem where it happened: what it is, what to do, and the request id that support and the log both know. */
export function ProblemNotice({ error, onRetry, shown = [], className }: { error: unknown; onRetry?: () => void; shown?: string[]; className?: string }) {
  const problem = toProblem(error);
  const rest = otherErrors(error, shown);
  return (
    <div role="alert" className={cx("rounded-lg border border-bad/35 bg-bad-wash px-3 py-2.5", className)}>
      <div className="flex items-start gap-2.5">
        <Glyph shape="bad" className="mt-[3px]" />
        <div className="min-w-0 flex-1">
          <p className="font-medium">{problem.title}</p>
          {problem.detail && problem.detail !== problem.title && <p className="mt-0.5 text-muted">{problem.detail}</p>}
          {rest.length > 0 && (
            <ul className="mt-1 text-muted">
              {rest.map((e) => (
                <li key={`${e.pointer ?? e.parameter ?? e.header}${e.code}`}>
                  {(e.pointer ?? e.parameter ?? e.header) && <span className="mono text-ink">{e.pointer ?? e.parameter ?? e.header}</span>} {e.detail}
                </li>
              ))}
            </ul>
          )}
          <p className="mt-1 flex flex-wrap items-center gap-x-2 text-xs text-muted">
            <span className="mono">{problem.code}</span>
            {problem.request_id && (
              <span className="inline-flex items-center">
                <To to={`/requests/${problem.request_id}`} className="mono underline underline-offset-2">
                  {problem.request_id}
                </To>
                <CopyButton text={problem.request_id} name="Copy request id" />
              </span>
            )}
          </p>
        </div>
        {onRetry && (
          <Button size="sm" onClick={onRetry} icon={<RotateCw className="size-3.5" />}>
            Try again
          </Button>
        )}
      </div>
    </div>
  );
}
