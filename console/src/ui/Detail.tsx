import type { UseQueryResult } from "@tanstack/react-query";
import { SearchX } from "lucide-react";
import type { ReactNode } from "react";
import { toProblem } from "../api/problem";
import { buttonClass } from "./Button";
import { Empty } from "./Page";
import { ProblemNotice } from "./Problem";
import { To } from "./To";

/** A page that shows one thing: while it loads, when it is not there, when asking failed, and at last itself. */
export function Detail<T>({ query, parent, children }: { query: UseQueryResult<T, Error>; parent: { to: string; name: string }; children: (data: T) => ReactNode }) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.isError) {
    if (toProblem(query.error).status === 404) {
      return (
        <Empty
          level={1}
          title="Nothing has this id"
          picture={<SearchX className="size-9 text-line-strong" strokeWidth={1.25} aria-hidden="true" />}
          action={
            <To to={parent.to} className={buttonClass("primary")}>
              Back to {parent.name.toLowerCase()}
            </To>
          }
        >
          It may have been deleted, or it belongs to another tenant than the one chosen at the top left.
        </Empty>
      );
    }
    return (
      <div className="px-4 py-6 sm:px-6">
        <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />
      </div>
    );
  }
  return (
    <div className="px-4 py-5 sm:px-6" role="status" aria-label="Loading">
      <h1 className="sr-only">Loading</h1>
      <div className="bone h-3 w-24" />
      <div className="bone mt-3 h-5 w-72 max-w-full" />
      <div className="bone mt-2 h-3 w-48" />
      <div className="mt-8 space-y-3">
        {[88, 64, 76, 52, 70].map((width) => (
          <div key={width} className="bone h-3" style={{ width: `${width}%` }} />
        ))}
      </div>
    </div>
  );
}
