import { type InfiniteData, infiniteQueryOptions, type QueryKey } from "@tanstack/react-query";
import type { List } from "./models";

/** Rows a list asks for at a time. */
export const PAGE_SIZE = 50;

/** The cursor to ask with next, or `undefined` at the end. A server that says "more" without a cursor cannot be asked further. */
export function nextCursor<T>(page: Pick<List<T>, "has_more" | "next_cursor">): string | undefined {
  return page.has_more && page.next_cursor ? page.next_cursor : undefined;
}

/** A cursor-paged list as a query. */
export function pagedQuery<T>(queryKey: QueryKey, fetchPage: (page: { limit: number; cursor?: string }, signal: AbortSignal) => Promise<List<T>>) {
  return infiniteQueryOptions({
    queryKey,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => fetchPage({ limit: PAGE_SIZE, ...(pageParam === undefined ? {} : { cursor: pageParam }) }, signal),
    getNextPageParam: (last: List<T>) => nextCursor(last),
  });
}

const REFRESH_MS = 5_000;

/** For lists that nothing announces: read again every few seconds, as long as that costs one page. */
export function whileOnePage(query: { state: { data?: { pages: unknown[] } | undefined } }): number | false {
  return (query.state.data?.pages.length ?? 0) <= 1 ? REFRESH_MS : false;
}

/**
 * All rows of all pages, each once. While pages are loaded one after the other a newer row may push an old one over the border;
 * keyset cursors make that rare, refetching the first page alone makes it possible.
 */
export function rowsOf<T extends { id: string }>(data: InfiniteData<List<T>, unknown> | undefined): T[] {
  const seen = new Set<string>();
  const rows: T[] = [];
  for (const page of data?.pages ?? []) {
    for (const row of page.data) {
      if (seen.has(row.id)) continue;
      seen.add(row.id);
      rows.push(row);
    }
  }
  return rows;
}

/** Leaves out what is empty, so that a filter that is not set is not sent. */
export function filters<T extends Record<string, string | number | boolean | undefined>>(given: T): Partial<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== "")) as Partial<T>;
}
