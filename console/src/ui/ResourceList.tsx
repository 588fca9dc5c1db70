import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef } from "react";
import type { List } from "../api/models";
import { rowsOf } from "../api/pages";
import { Button } from "./Button";
import { cx } from "./cx";
import { ProblemNotice } from "./Problem";
import { To } from "./To";

export interface Column<T> {
  key: string;
  head: ReactNode;
  cell: (row: T) => ReactNode;
  /** The width from which the column is shown; without it, always. */
  from?: "sm" | "md" | "lg" | "xl";
  className?: string;
  align?: "right";
}

interface Props<T extends { id: string }> {
  label: string;
  query: UseInfiniteQueryResult<InfiniteData<List<T>, unknown>, Error>;
  columns: Column<T>[];
  /** Address of a row's page; rows without one are not links. */
  to?: (row: T) => string;
  /** What stands under the first cell where the other columns have no room. */
  under?: (row: T) => ReactNode;
  empty: ReactNode;
  /** Rows put before the first page, newest first: what arrived live. */
  before?: T[];
  lead?: (row: T) => ReactNode;
  quiet?: (row: T) => boolean;
  fresh?: (row: T) => boolean;
}

const FROM = { sm: "max-sm:hidden", md: "max-md:hidden", lg: "max-lg:hidden", xl: "max-xl:hidden" } as const;
const SKELETON_ROWS = 9;

/** Every list in the console: a table whose rows are links, walked with j and k, loaded page by page as its end comes into view. */
export function ResourceList<T extends { id: string }>(props: Props<T>) {
  const { label, query, columns, empty, before } = props;
  const loaded = rowsOf(query.data);
  const rows = before && before.length > 0 ? [...before, ...loaded.filter((row) => !before.some((b) => b.id === row.id))] : loaded;

  if (query.isError && rows.length === 0) {
    return (
      <div className="border-t border-line px-4 py-5 sm:px-6">
        <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />
      </div>
    );
  }
  if (query.isSuccess && rows.length === 0) return <div className="border-t border-line">{empty}</div>;

  return (
    <div className="border-t border-line">
      <table className="w-full border-collapse" aria-busy={query.isPending || undefined}>
        <caption className="sr-only">{label}</caption>
        <thead>
          <tr>
            {props.lead && <th className="w-9 max-sm:w-8"><span className="sr-only">Select</span></th>}
            {columns.map((column) => (
              <th
                key={column.key}
                scope="col"
                className={cx("sticky top-0 z-10 h-8 border-b border-line bg-surface px-3 text-left label first:pl-4 last:pr-4 max-md:top-12 max-md:h-7 sm:first:pl-6 sm:last:pr-6", column.from && FROM[column.from], column.align === "right" && "text-right", column.className)}
              >
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{query.isPending ? <Bones columns={columns} lead={props.lead !== undefined} /> : rows.map((row) => <Row key={row.id} row={row} {...props} />)}</tbody>
      </table>
      <More query={query} count={rows.length} />
    </div>
  );
}

function Row<T extends { id: string }>({ row, columns, to, under, lead, quiet, fresh }: Props<T> & { row: T }) {
  const address = to?.(row);
  return (
    <tr className={cx("group relative border-b border-line/70 transition-colors hover:bg-hover has-[[data-row]:focus-visible]:bg-hover", quiet?.(row) && "text-muted", fresh?.(row) && "animate-arrive")}>
      {lead && <td className="relative z-10 w-9 pl-4 align-middle max-sm:w-8 sm:pl-6">{lead(row)}</td>}
      {columns.map((column, index) => (
        <td key={column.key} className={cx("h-10 min-w-0 px-3 py-1.5 align-middle first:pl-4 last:pr-4 sm:first:pl-6 sm:last:pr-6", column.from && FROM[column.from], column.align === "right" && "text-right", column.className)}>
          {index === 0 && address ? (
            <To
              to={address}
              data-row=""
              className="block outline-none after:absolute after:inset-0 focus-visible:after:shadow-[inset_2px_0_0_var(--accent)]"
            >
              {column.cell(row)}
            </To>
          ) : (
            column.cell(row)
          )}
          {index === 0 && under && <div className="mt-0.5 text-xs text-muted md:hidden">{under(row)}</div>}
        </td>
      ))}
    </tr>
  );
}

function Bones<T>({ columns, lead }: { columns: Column<T>[]; lead: boolean }) {
  return Array.from({ length: SKELETON_ROWS }, (_, row) => (
    <tr key={row} className="border-b border-line/70" style={{ opacity: 1 - row / (SKELETON_ROWS + 1) }}>
      {lead && <td />}
      {columns.map((column, index) => (
        <td key={column.key} className={cx("h-10 px-3 first:pl-4 last:pr-4 sm:first:pl-6 sm:last:pr-6", column.from && FROM[column.from], column.className)}>
          <div className={cx("bone h-2.5", column.align === "right" && "ml-auto")} style={{ width: index === 0 ? `${58 + ((row * 29) % 34)}%` : "62%" }} />
        </td>
      ))}
    </tr>
  ));
}

/** Loads the next page when its place comes near, and says where the list ends. The button is for keyboards, and for when that failed. */
function More<T>({ query, count }: { query: UseInfiniteQueryResult<InfiniteData<List<T>, unknown>, Error>; count: number }) {
  const place = useRef<HTMLDivElement>(null);
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = query;
  useEffect(() => {
    const node = place.current;
    if (!node || !hasNextPage || isFetchingNextPage || isFetchNextPageError) return;
    const watch = new IntersectionObserver(([entry]) => entry?.isIntersecting && void fetchNextPage(), { rootMargin: "600px" });
    watch.observe(node);
    return () => watch.disconnect();
  }, [hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);
  if (query.isPending) return null;
  return (
    <div ref={place} className="flex items-center justify-center gap-3 px-4 py-4 text-xs text-faint">
      {isFetchNextPageError && <ProblemNotice error={query.error} onRetry={() => void fetchNextPage()} className="w-full" />}
      {hasNextPage ? (
        <Button size="sm" look="quiet" busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          Load more
        </Button>
      ) : (
        count > 12 && <span>{count.toLocaleString("en-GB")} shown, nothing older</span>
      )}
    </div>
  );
}
