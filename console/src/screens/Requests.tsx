import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { Waypoints } from "lucide-react";
import { useCallback } from "react";
import type { RequestRecord } from "../api/models";
import { whileOnePage } from "../api/pages";
import { requestQuery, requestsQuery } from "../api/requests";
import { clock, duration } from "../lib/time";
import { Button, buttonClass } from "../ui/Button";
import { cx } from "../ui/cx";
import { Detail } from "../ui/Detail";
import { SearchField, Segments } from "../ui/Field";
import { Empty, FilterBar, PageHead, Section } from "../ui/Page";
import { type Column, ResourceList } from "../ui/ResourceList";
import { Glyph, HttpStatus } from "../ui/State";
import { ActorText, Ago, Facts, IdText, Instant } from "../ui/Text";
import { To } from "../ui/To";

/** Longer than this and the time is pointed out. */
const SLOW_MS = 1_000;

/** The method in its own width, so that paths align. */
function Method({ method }: { method: string }) {
  return <span className={cx("inline-block w-14 shrink-0", method === "GET" ? "text-muted" : "font-semibold")}>{method}</span>;
}

const COLUMNS: Column<RequestRecord>[] = [
  {
    key: "path",
    head: "Request",
    cell: (row) => (
      <span className="mono flex min-w-0">
        <Method method={row.method} />
        <span className="truncate">{row.path}</span>
      </span>
    ),
    className: "max-w-0 w-[42%] max-md:w-auto",
  },
  { key: "status", head: "Status", cell: (row) => <HttpStatus status={row.status} />, className: "w-20" },
  { key: "code", head: "Problem", cell: (row) => <span className="mono block truncate text-muted">{row.problem?.code ?? ""}</span>, from: "md", className: "max-w-0 w-[16%]" },
  { key: "actor", head: "By", cell: (row) => <ActorText actor={row.actor} />, from: "lg" },
  { key: "took", head: "Took", cell: (row) => <span className={cx("figures", row.duration_ms > SLOW_MS && "text-warn")}>{duration(row.duration_ms)}</span>, from: "md", align: "right" },
  { key: "at", head: "At", cell: (row) => <span className="text-muted"><Ago at={row.created_at} /></span>, align: "right", className: "w-24 max-sm:w-20" },
];

const STATUSES = [
  { value: "", label: "All" },
  { value: "2xx", label: <><Glyph shape="ok" className="size-3" /> 2xx</> },
  { value: "4xx", label: <><Glyph shape="warn" className="size-3" /> 4xx</> },
  { value: "5xx", label: <><Glyph shape="bad" className="size-3" /> 5xx</> },
];

const route = getRouteApi("/app/requests");

export function Requests() {
  const search = route.useSearch();
  const navigate = useNavigate();
  const query = useInfiniteQuery({ ...requestsQuery(search), refetchInterval: whileOnePage });
  const change = useCallback((next: { status?: string; q?: string; operation?: string }) => void navigate({ to: "/requests", search: (before) => ({ ...before, ...next }), replace: true }), [navigate]);
  const onSearch = useCallback((q: string) => change({ q: q || undefined }), [change]);
  return (
    <>
      <PageHead title="Requests" lead="Every call to the API, with the answer it got." />
      <FilterBar>
        <SearchField name="Search requests" placeholder="Path, id or code" value={search.q ?? ""} onSearch={onSearch} />
        <Segments name="Status" value={search.status ?? ""} options={STATUSES} onPick={(status) => change({ status: status || undefined })} />
        {search.operation && (
          <Button size="sm" onClick={() => change({ operation: undefined })}>
            only <span className="mono">{search.operation}</span> ×
          </Button>
        )}
      </FilterBar>
      <ResourceList
        label="Requests"
        query={query}
        columns={COLUMNS}
        to={(row) => `/requests/${row.id}`}
        under={(row) => `${duration(row.duration_ms)} · ${clock(row.created_at)}${row.problem ? ` · ${row.problem.code}` : ""}`}
        empty={
          search.q || search.status || search.operation ? (
            <Empty title="No request matches" action={<Button look="primary" onClick={() => change({ q: undefined, status: undefined, operation: undefined })}>Show all requests</Button>}>
              {search.status === "5xx" ? "No server error is on record." : "Nothing on record has this path, id or status."}
            </Empty>
          ) : (
            <Empty title="No requests on record" action={<a href="/docs" target="_blank" rel="noreferrer" className={buttonClass("primary")}>Open the API reference</a>}>
              Make a call with an API key and it is listed here at once.
            </Empty>
          )
        }
      />
    </>
  );
}

export function RequestScreen() {
  const { id } = getRouteApi("/app/requests/$id").useParams();
  const parent = { to: "/requests", name: "Requests" };
  return (
    <Detail query={useQuery(requestQuery(id))} parent={parent}>
      {(request) => (
        <>
          <PageHead
            parent={parent}
            title={
              <span className="min-w-0 font-mono text-[0.86em] font-medium break-all">
                {request.method} {request.path}
              </span>
            }
            plainTitle={`${request.method} ${request.path}`}
            meta={
              <>
                <HttpStatus status={request.status} />
                <span className="figures">{duration(request.duration_ms)}</span>
                <Instant at={request.created_at} />
              </>
            }
            actions={
              <To to={`/traces/${request.trace_id}`} className={buttonClass("primary", "sm")}>
                <Waypoints className="size-3.5" aria-hidden="true" /> Trace
              </To>
            }
          />
          <div className="px-4 pb-5 sm:px-6">
            <Facts
              className="max-w-3xl"
              rows={[
                ["Request id", <IdText key="i" id={request.id} link={false} />],
                [
                  "Operation",
                  request.operation ? (
                    <To key="o" to="/requests" search={{ operation: request.operation }} className="mono text-accent underline-offset-3 hover:underline">
                      {request.operation}
                    </To>
                  ) : (
                    <span key="o" className="text-faint">a page, or no such route</span>
                  ),
                ],
                ["By", <ActorText key="a" actor={request.actor} short={false} />],
                ["Trace", <IdText key="t" id={request.trace_id} />],
                ["Version", request.version || "—"],
                ["Idempotency key", request.idempotency_key ? <span key="k" className="mono break-all">{request.idempotency_key}</span> : "—"],
                ["Caller's id", request.client_request_id ?? "—"],
                ["Address", <span key="ip" className="mono">{request.client_ip || "—"}</span>],
                ["Client", request.user_agent || "—"],
              ]}
            />
          </div>
          {request.problem && (
            <Section title="The problem it was answered with">
              <p className="flex flex-wrap items-baseline gap-x-4 gap-y-1">
                <span className="mono font-semibold">{request.problem.code}</span>
                <a href={`/docs/errors/${encodeURIComponent(request.problem.code)}`} target="_blank" rel="noreferrer" className="text-accent underline-offset-3 hover:underline">
                  What it means
                </a>
              </p>
              {request.problem.detail && <p className="mt-1 max-w-2xl text-muted">{request.problem.detail}</p>}
            </Section>
          )}
        </>
      )}
    </Detail>
  );
}
