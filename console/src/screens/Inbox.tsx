import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Outlet, useMatch, useNavigate } from "@tanstack/react-router";
import { CheckCheck, Inbox, Waypoints } from "lucide-react";
import { useEffect, useRef } from "react";
import { inboxQuery, useMarkAllRead, useMarkRead } from "../api/notify";
import { rowsOf } from "../api/pages";
import { toProblem } from "../api/problem";
import { Button, buttonClass } from "../ui/Button";
import { cx } from "../ui/cx";
import { Segments } from "../ui/Field";
import { Empty, FilterBar, PageHead } from "../ui/Page";
import { ProblemNotice } from "../ui/Problem";
import { Ago, Facts, IdText, Instant } from "../ui/Text";
import { To } from "../ui/To";
import { toast } from "../ui/Toasts";

const route = getRouteApi("/app/inbox");

export function InboxScreen() {
  const { unread } = route.useSearch();
  const navigate = useNavigate();
  const open = useMatch({ from: "/app/inbox/$id", shouldThrow: false })?.params.id;
  const query = useInfiniteQuery(inboxQuery({ unread }));
  const all = useMarkAllRead();
  const items = rowsOf(query.data);
  const readAll = () => all.mutate(undefined, { onSuccess: () => toast("Everything is read"), onError: (error) => toast(toProblem(error).title, "bad") });
  return (
    <div className="grid xl:h-dvh xl:grid-cols-[24rem_minmax(0,1fr)] lg:grid-cols-[20rem_minmax(0,1fr)]">
      <div className={cx("min-w-0 lg:h-dvh lg:overflow-y-auto lg:border-r lg:border-line", open && "max-lg:hidden")} tabIndex={-1}>
        <PageHead
          title="Inbox"
          actions={
            <Button size="sm" look="quiet" onClick={readAll} busy={all.isPending} disabled={!items.some((item) => !item.read_at)} icon={<CheckCheck className="size-3.5" />}>
              Mark all read
            </Button>
          }
        />
        <FilterBar>
          <Segments
            name="Show"
            value={unread ? "unread" : "all"}
            options={[
              { value: "all", label: "All" },
              { value: "unread", label: "Unread" },
            ]}
            onPick={(value) => void navigate({ to: "/inbox", search: value === "unread" ? { unread: true } : {}, replace: true })}
          />
        </FilterBar>
        {query.isPending ? (
          <div className="rows border-t border-line" role="status" aria-label="Loading">
            {[0, 1, 2, 3, 4, 5].map((i) => (
              <div key={i} className="space-y-2 px-4 py-3 sm:px-6">
                <div className="bone h-3 w-3/5" />
                <div className="bone h-2.5 w-11/12" />
              </div>
            ))}
          </div>
        ) : query.isError && items.length === 0 ? (
          <div className="border-t border-line p-4 sm:px-6">
            <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />
          </div>
        ) : items.length === 0 ? (
          <div className="border-t border-line">
            <Empty
              title={unread ? "All read" : "Nothing here yet"}
              action={
                unread ? (
                  <To to="/inbox" className={buttonClass("primary")}>
                    Show all messages
                  </To>
                ) : (
                  <a href="/contact" target="_blank" rel="noreferrer" className={buttonClass("primary")}>
                    Open the contact form
                  </a>
                )
              }
            >
              {unread ? "There is no message you have not seen." : "When a workflow has something to tell you it arrives here, while you watch."}
            </Empty>
          </div>
        ) : (
          <>
            <ul className="rows border-y border-line">
              {items.map((item) => (
                <li key={item.id} className={cx("relative transition-colors hover:bg-hover", item.id === open && "bg-hover shadow-[inset_2px_0_0_var(--accent)]")}>
                  <div className="flex gap-2.5 px-4 py-2.5 sm:pl-6">
                    <span className={cx("mt-[7px] size-1.5 shrink-0 rounded-full", !item.read_at ? "bg-accent" : "bg-transparent")} aria-hidden="true" />
                    <div className="min-w-0 flex-1">
                      <div className="flex items-baseline gap-3">
                        <To
                          to={`/inbox/${item.id}`}
                          search={unread ? { unread: true } : {}}
                          data-row=""
                          aria-current={item.id === open || undefined}
                          className={cx("min-w-0 flex-1 truncate outline-none after:absolute after:inset-0 focus-visible:after:shadow-[inset_2px_0_0_var(--accent)]", !item.read_at ? "font-semibold" : "text-muted")}
                        >
                          {!item.read_at && <span className="sr-only">Unread: </span>}
                          {item.title}
                        </To>
                        <Ago at={item.created_at} className="text-xs text-faint" />
                      </div>
                      <p className="truncate text-xs text-muted">{item.body}</p>
                    </div>
                  </div>
                </li>
              ))}
            </ul>
            {query.hasNextPage && (
              <div className="flex justify-center py-4">
                <Button size="sm" look="quiet" busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                  Load more
                </Button>
              </div>
            )}
          </>
        )}
      </div>
      <div className={cx("min-w-0", !open && "max-lg:hidden")}>
        {open ? (
          <Outlet />
        ) : (
          <div className="grid h-full min-h-96 place-items-center text-faint">
            <p className="flex flex-col items-center gap-3">
              <Inbox className="size-8" strokeWidth={1} aria-hidden="true" />
              Choose a message
            </p>
          </div>
        )}
      </div>
    </div>
  );
}

export function InboxItemScreen() {
  const { id } = getRouteApi("/app/inbox/$id").useParams();
  const { unread } = route.useSearch();
  const query = useInfiniteQuery(inboxQuery({ unread }));
  const everything = useInfiniteQuery(inboxQuery({}));
  // A message that was opened leaves the unread list, but not the screen.
  const item = rowsOf(everything.data).find((i) => i.id === id) ?? rowsOf(query.data).find((i) => i.id === id);
  const { mutate: markRead } = useMarkRead();
  const isUnread = item !== undefined && !item.read_at;
  // Once for each message opened: what failed is not tried again by itself, the next opening will.
  const marked = useRef("");
  useEffect(() => {
    if (!isUnread || marked.current === id) return;
    marked.current = id;
    markRead(id);
  }, [id, isUnread, markRead]);
  if (!item) {
    if (everything.isPending) return <div className="p-6"><div className="bone h-5 w-64" /></div>;
    return (
      <Empty title="This message is further back" action={<To to="/inbox" className={buttonClass("primary")}>Show the inbox</To>}>
        It is older than the messages loaded, or it is gone.
      </Empty>
    );
  }
  const link = item.url?.replace(/^\/console/, "");
  return (
    <article>
      <PageHead
        parent={{ to: "/inbox", name: "Inbox" }}
        title={item.title}
        meta={<Instant at={item.created_at} />}
        actions={
          <>
            {item.url && link && (item.url.startsWith("/console") ? <To to={link} className={buttonClass("primary", "sm")}>Open</To> : <a href={item.url} className={buttonClass("primary", "sm")}>Open</a>)}
            <To to={`/traces/${item.trace_id}`} className={buttonClass("plain", "sm")}>
              <Waypoints className="size-3.5" aria-hidden="true" /> Trace
            </To>
          </>
        }
      />
      <p className="max-w-2xl border-t border-line px-4 py-5 text-base whitespace-pre-wrap break-words sm:px-6">{item.body}</p>
      <div className="max-w-2xl px-4 pb-8 sm:px-6">
        <Facts
          rows={[
            ["Notification", <IdText key="n" id={item.notification_id} />],
            ["Trace", <IdText key="t" id={item.trace_id} />],
            ["Read", item.read_at ? <Instant key="r" at={item.read_at} /> : "not yet"],
          ]}
        />
      </div>
    </article>
  );
}
