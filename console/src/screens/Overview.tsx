import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { ArrowUpRight, RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import { requestsQuery } from "../api/requests";
import { jobsQuery } from "../api/flow";
import { submissionsQuery } from "../api/forms";
import type { Overview as Figures } from "../api/models";
import { notificationsQuery } from "../api/notify";
import { overviewQuery } from "../api/overview";
import { rowsOf } from "../api/pages";
import { useSamples } from "../lib/samples";
import { count, percent, plural, rate } from "../lib/format";
import { duration } from "../lib/time";
import { Button, buttonClass } from "../ui/Button";
import { Spark, TimeChart } from "../ui/Chart";
import { cx } from "../ui/cx";
import { PageHead } from "../ui/Page";
import { ProblemNotice } from "../ui/Problem";
import { Glyph, type Shape } from "../ui/State";
import { Ago } from "../ui/Text";
import { To } from "../ui/To";

export function Overview() {
  const query = useQuery(overviewQuery);
  const samples = useSamples(query.data);
  return (
    <>
      <PageHead
        title="Overview"
        actions={
          <>
            <a href="/" target="_blank" rel="noreferrer" className={buttonClass("plain", "sm")}>
              The site <ArrowUpRight className="size-3.5" aria-hidden="true" />
            </a>
            <a href="/docs" target="_blank" rel="noreferrer" className={buttonClass("plain", "sm")}>
              API reference <ArrowUpRight className="size-3.5" aria-hidden="true" />
            </a>
          </>
        }
      />
      {query.isError && !query.data ? (
        <div className="px-4 sm:px-6">
          <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />
        </div>
      ) : (
        <>
          <Passage figures={query.data} samples={samples} />
          <div className="grid border-t border-line lg:grid-cols-[3fr_2fr]">
            <div className="px-4 py-5 sm:px-6 lg:border-r lg:border-line">
              <TimeChart
                title="Requests per second, last hour"
                empty="The first minute is not over yet."
                series={[
                  { name: "all", points: samples.requests, tone: "text-accent", fill: true, format: rate },
                  { name: "failed", points: samples.errors, tone: "text-bad", format: rate },
                ]}
              />
            </div>
            <div className="border-t border-line px-4 py-5 sm:px-6 lg:border-t-0">
              <TimeChart title="Slowest 1% of requests" empty="The first minute is not over yet." series={[{ name: "p99", points: samples.p99, tone: "text-info", fill: true, format: duration }]} />
            </div>
          </div>
          <div className="grid border-t border-line lg:grid-cols-2">
            <Attention figures={query.data} />
            <Latest />
          </div>
          <Vitals figures={query.data} />
        </>
      )}
    </>
  );
}

interface Station {
  name: string;
  to: string;
  value: string;
  unit?: string;
  note: ReactNode;
  shape?: Shape;
  moving: boolean;
  points: { at: string; value: number }[];
  tone?: string;
}

/** The way of a request through the house, left to right, each part with the one figure that tells whether it is well. */
function Passage({ figures: f, samples }: { figures: Figures | undefined; samples: ReturnType<typeof useSamples> }) {
  const stations: Station[] | undefined = f && [
    {
      name: "Requests",
      to: "/requests",
      value: rate(f.requests.per_second),
      unit: "/s",
      note: f.requests.error_ratio > 0 ? `${percent(f.requests.error_ratio)} failed` : "none failed",
      shape: f.requests.error_ratio > 0.01 ? "bad" : f.requests.error_ratio > 0 ? "warn" : undefined,
      moving: f.requests.per_second > 0,
      points: samples.requests,
    },
    {
      name: "Commit",
      to: "/requests",
      value: duration(f.store.commit_p99_ms).split(" ")[0] ?? "",
      unit: duration(f.store.commit_p99_ms).split(" ")[1],
      note: `p99 · ${rate(f.store.units_per_commit)} units each`,
      moving: f.requests.per_second > 0,
      points: samples.commit,
    },
    {
      name: "Events",
      to: "/events",
      value: count(f.events.lag),
      unit: "behind",
      note: f.events.parked > 0 ? plural(f.events.parked, "parked event") : f.events.lag > 0 ? `oldest ${duration(f.events.lag_ms)}` : "consumers are level",
      shape: f.events.parked > 0 ? "bad" : undefined,
      moving: f.events.per_second > 0,
      points: samples.lag,
    },
    {
      name: "Jobs",
      to: "/jobs",
      value: count(f.jobs.due),
      unit: "due",
      note: (
        <>
          {count(f.jobs.running)} running · <span className={f.jobs.dead > 0 ? "font-medium text-bad" : undefined}>{count(f.jobs.dead)} dead</span>
        </>
      ),
      shape: f.jobs.dead > 0 ? "bad" : undefined,
      moving: f.jobs.running > 0,
      points: samples.jobs,
    },
    {
      name: "Delivered",
      to: "/notifications",
      value: count(f.deliveries.today),
      unit: "in 24 h",
      note: f.deliveries.failed_today > 0 ? `${count(f.deliveries.failed_today)} failed` : "none failed",
      shape: f.deliveries.failed_today > 0 ? "warn" : undefined,
      moving: false,
      points: samples.deliveries,
    },
  ];
  return (
    <section aria-label="From request to delivery" className="border-t border-line bg-ground">
      <ol className="grid grid-cols-2 sm:grid-cols-3 xl:grid-cols-5">
        {stations
          ? stations.map((station, index) => <StationCell key={station.name} station={station} last={index === stations.length - 1} />)
          : Array.from({ length: 5 }, (_, i) => (
              <li key={i} className="border-line px-4 py-4 sm:px-6">
                <div className="bone h-3 w-16" />
                <div className="bone mt-3 h-7 w-24" />
                <div className="bone mt-3 h-3 w-20" />
                <div className="bone mt-4 h-6" />
              </li>
            ))}
      </ol>
    </section>
  );
}

function StationCell({ station, last }: { station: Station; last: boolean }) {
  return (
    <li className={cx("group relative min-w-0 border-line px-4 pt-4 pb-3.5 transition-colors hover:bg-hover max-xl:border-b sm:px-6", last && "max-sm:col-span-2 sm:max-xl:col-span-2")}>
      <div className="relative flex items-center gap-2">
        <span className={cx("size-[7px] shrink-0 rounded-full border-[1.5px]", station.moving ? "border-accent bg-accent" : "border-control bg-ground")} aria-hidden="true" />
        <h2 className="shrink-0 text-xs font-medium text-muted">
          <To to={station.to} className="after:absolute after:-inset-x-4 after:-top-4 after:-bottom-28 sm:after:-inset-x-6">
            {station.name}
          </To>
        </h2>
        {/* The line that leads to the next station; what travels on it is moving right now. */}
        <span className={cx("relative h-px flex-1 overflow-visible", last ? "bg-linear-to-r from-line-strong to-transparent" : "-mr-4 bg-line-strong sm:-mr-6")} aria-hidden="true">
          {station.moving && !last && <span className="absolute -top-[1.5px] size-1 animate-travel rounded-full bg-accent" />}
        </span>
      </div>
      <p className="mt-2 flex items-baseline gap-1.5 figures">
        <span className="text-2xl leading-8 font-medium tracking-[-0.02em]">{station.value}</span>
        <span className="text-muted">{station.unit}</span>
      </p>
      <p className="flex items-center gap-1.5 text-xs text-muted figures">
        {station.shape && <Glyph shape={station.shape} className="size-3" />}
        <span className="truncate">{station.note}</span>
      </p>
      <Spark points={station.points} className="mt-3 h-7" tone={station.tone} />
    </li>
  );
}

function Attention({ figures: f }: { figures: Figures | undefined }) {
  const dead = useInfiniteQuery(jobsQuery({ state: "dead" }));
  const failing = useInfiniteQuery(notificationsQuery({ state: "failed" }));
  const errors = useInfiniteQuery(requestsQuery({ status: "5xx" }));
  const items: { key: string; to: string; title: string; detail: string; at: string }[] = [
    ...rowsOf(dead.data).map((job) => ({ key: job.id, to: `/jobs/${job.id}`, title: `Dead job: ${job.kind}`, detail: job.last_error ?? `after ${plural(job.attempt, "attempt")}`, at: job.finished_at ?? job.created_at })),
    ...rowsOf(failing.data).map((n) => ({ key: n.id, to: `/notifications/${n.id}`, title: `Undeliverable: ${n.channel === "email" ? "e-mail" : "message"} to ${n.recipient.replace(/^address:/, "")}`, detail: n.last_error ?? n.recipient, at: n.updated_at })),
    ...rowsOf(errors.data).map((r) => ({ key: r.id, to: `/requests/${r.id}`, title: `${r.status} on ${r.method} ${r.path}`, detail: r.problem?.detail || r.problem?.code || "", at: r.created_at })),
  ]
    .sort((a, b) => b.at.localeCompare(a.at))
    .slice(0, 6);
  const loading = dead.isPending || failing.isPending || errors.isPending;
  return (
    <Panel title="Needs attention" more={f && f.jobs.dead > 0 ? { to: "/jobs", search: { state: "dead" }, name: plural(f.jobs.dead, "dead letter") } : undefined} className="lg:border-r lg:border-line">
      {loading ? (
        <Bones />
      ) : items.length === 0 ? (
        <p className="flex items-center gap-2 px-4 py-6 text-muted sm:px-6">
          <Glyph shape="ok" /> Nothing. No dead jobs, no undeliverable notifications, no server errors on record.
        </p>
      ) : (
        <ul className="rows border-t border-line/70">
          {items.map((item) => (
            <li key={item.key} className="relative flex items-start gap-3 px-4 py-2 transition-colors hover:bg-hover sm:px-6">
              <Glyph shape="bad" className="mt-[3px]" />
              <div className="min-w-0 flex-1">
                <To to={item.to} data-row="" className="block truncate outline-none after:absolute after:inset-0 focus-visible:after:shadow-[inset_2px_0_0_var(--accent)]">
                  {item.title}
                </To>
                <p className="truncate text-xs text-muted">{item.detail}</p>
              </div>
              <Ago at={item.at} className="text-xs text-faint" />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Latest() {
  const query = useInfiniteQuery(submissionsQuery({}));
  const rows = rowsOf(query.data).slice(0, 6);
  return (
    <Panel title="Latest submissions" more={{ to: "/submissions", name: "All" }} className="max-lg:border-t max-lg:border-line">
      {query.isPending ? (
        <Bones />
      ) : query.isError ? (
        <div className="px-4 pb-4 sm:px-6">
          <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />
        </div>
      ) : rows.length === 0 ? (
        <div className="flex flex-wrap items-center gap-3 px-4 py-5 text-muted sm:px-6">
          <span className="min-w-0 flex-1 basis-60">None yet. Send one through the contact form and watch it arrive here, in the inbox, and as a trace.</span>
          <a href="/contact" target="_blank" rel="noreferrer" className={buttonClass("primary", "sm")}>
            Open the contact form
          </a>
          <Button size="sm" onClick={() => void query.refetch()} icon={<RotateCw className="size-3.5" />}>
            Look again
          </Button>
        </div>
      ) : (
        <ul className="rows border-t border-line/70">
          {rows.map((row) => (
            <li key={row.id} className="relative flex items-start gap-3 px-4 py-2 transition-colors hover:bg-hover sm:px-6">
              <div className="min-w-0 flex-1">
                <To to={`/submissions/${row.id}`} data-row="" className="block truncate outline-none after:absolute after:inset-0 focus-visible:after:shadow-[inset_2px_0_0_var(--accent)]">
                  {row.fields.slice(0, 2).map((field) => field.display).filter(Boolean).join(" · ") || row.id}
                </To>
                <p className="truncate text-xs text-muted">{row.fields.slice(2).map((field) => field.display).sort((a, b) => b.length - a.length)[0] ?? ""}</p>
              </div>
              <Ago at={row.created_at} className="text-xs text-faint" />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Panel({ title, more, children, className }: { title: string; more?: { to: string; search?: Record<string, unknown>; name: string }; children: ReactNode; className?: string }) {
  return (
    <section className={cx("min-w-0 pt-4 pb-1", className)}>
      <div className="mb-2.5 flex items-baseline justify-between px-4 sm:px-6">
        <h2 className="font-semibold">{title}</h2>
        {more && (
          <To to={more.to} search={more.search} className="text-xs text-accent underline-offset-3 hover:underline">
            {more.name}
          </To>
        )}
      </div>
      {children}
    </section>
  );
}

function Bones() {
  return (
    <div className="space-y-4 px-4 py-3 sm:px-6" role="status" aria-label="Loading">
      {[70, 54, 62, 48].map((width) => (
        <div key={width} className="bone h-3" style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}

const ENGINES: Record<string, string> = { sqlite: "SQLite", postgres: "PostgreSQL" };

/** The house itself, in one line. */
function Vitals({ figures: f }: { figures: Figures | undefined }) {
  const rows: [string, string][] = f
    ? [
        ["Submissions in 24 h", `${count(f.submissions.today)} (${count(f.submissions.yesterday)} the day before)`],
        ["Median request", duration(f.requests.p50_ms)],
        ["Median commit", duration(f.store.commit_p50_ms)],
        ["Live connections", `${count(f.realtime.connections)} on ${plural(f.realtime.channels, "channel")}`],
        ["Storage", ENGINES[f.engine] ?? f.engine],
        ["Version", f.version],
        ["Up for", duration(f.uptime_seconds * 1000)],
      ]
    : [];
  return (
    <dl className="flex flex-wrap gap-x-8 gap-y-2 border-t border-line bg-ground px-4 py-3.5 text-xs sm:px-6">
      {rows.map(([name, value]) => (
        <div key={name} className="flex gap-2">
          <dt className="text-muted">{name}</dt>
          <dd className="figures">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
