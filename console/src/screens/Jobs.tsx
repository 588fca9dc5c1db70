import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { Ban, RotateCcw, Waypoints, X } from "lucide-react";
import { useState } from "react";
import { api, read } from "../api/client";
import { jobQuery, jobsQuery, parkedEventsQuery, schedulesQuery, useCancelJob, useReplayDead, useReplayJob, useReplayParked } from "../api/flow";
import type { Job, JobState } from "../api/models";
import { rowsOf, whileOnePage } from "../api/pages";
import { toProblem } from "../api/problem";
import { plural, words } from "../lib/format";
import { Attempts } from "../ui/Attempts";
import { Button, buttonClass, IconButton } from "../ui/Button";
import { JsonView } from "../ui/Code";
import { Detail } from "../ui/Detail";
import { Segments } from "../ui/Field";
import { Empty, FilterBar, PageHead, Section } from "../ui/Page";
import { ProblemNotice } from "../ui/Problem";
import { type Column, ResourceList } from "../ui/ResourceList";
import { Glyph, shapeOf, State, Tag } from "../ui/State";
import { Ago, Facts, IdText, Instant } from "../ui/Text";
import { To } from "../ui/To";
import { toast } from "../ui/Toasts";

const COLUMNS: Column<Job>[] = [
  {
    key: "kind",
    head: "Job",
    cell: (row) => (
      <span className="flex min-w-0 items-center gap-2">
        <Glyph shape={shapeOf(row.state)} />
        <span className="mono truncate font-semibold">{row.kind}</span>
      </span>
    ),
    className: "max-w-0 w-[26%] max-md:w-auto",
  },
  { key: "state", head: "State", cell: (row) => words(row.state), from: "sm" },
  { key: "queue", head: "Queue", cell: (row) => <span className="mono text-muted">{row.queue}</span>, from: "lg" },
  { key: "error", head: "Last error", cell: (row) => <span className="block truncate text-muted">{row.last_error ?? ""}</span>, from: "md", className: "max-w-0 w-[32%]" },
  { key: "attempt", head: "Attempt", cell: (row) => <span className="figures">{row.attempt}/{row.max_attempts}</span>, from: "md", align: "right" },
  { key: "at", head: "Due", cell: (row) => <Ago at={row.run_at} className="text-muted" />, align: "right", className: "w-24" },
];

const STATES: (JobState | "")[] = ["", "ready", "scheduled", "running", "retrying", "dead", "done", "cancelled"];

/** States in which a job still waits for its turn, and can be called off. */
const WAITING: string[] = ["blocked", "scheduled", "ready", "retrying"];
const route = getRouteApi("/app/jobs");

export function Jobs() {
  const search = route.useSearch();
  const state = STATES.find((s) => s === search.state) ?? "";
  const navigate = useNavigate();
  const query = useInfiniteQuery({ ...jobsQuery({ ...search, state: state || undefined }), refetchInterval: whileOnePage });
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [asking, setAsking] = useState(false);
  const replayDead = useReplayDead();
  const rows = rowsOf(query.data);
  const selected = rows.filter((row) => chosen.has(row.id));
  const pick = (next: JobState | "") => {
    setChosen(new Set());
    void navigate({ to: "/jobs", search: { ...search, state: next || undefined }, replace: true });
  };
  const toggle = (id: string) =>
    setChosen((before) => {
      const next = new Set(before);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  return (
    <>
      <PageHead
        title="Jobs"
        lead="Everything that leaves the process was written down here first."
        actions={
          state === "dead" && rows.length > 0 ? (
            asking ? (
              <>
                <span className="text-muted">Replay every dead letter{search.queue ? ` of ${search.queue}` : ""}?</span>
                <Button size="sm" onClick={() => setAsking(false)}>
                  Keep
                </Button>
                <Button
                  size="sm"
                  look="primary"
                  busy={replayDead.isPending}
                  onClick={() =>
                    replayDead.mutate(search.queue, {
                      onSuccess: (done) => toast(`${plural(done.replayed, "job")} queued again${done.refused > 0 ? `, ${done.refused} refused` : ""}${done.has_more ? "; there are more" : ""}`, done.refused > 0 || done.has_more ? "warn" : "ok"),
                      onError: (error) => toast(toProblem(error).title, "bad"),
                      onSettled: () => setAsking(false),
                    })
                  }
                >
                  Replay all
                </Button>
              </>
            ) : (
              <Button size="sm" onClick={() => setAsking(true)} icon={<RotateCcw className="size-3.5" />}>
                Replay all dead
              </Button>
            )
          ) : undefined
        }
      />
      <FilterBar>
        <Segments name="State" value={state} options={STATES.map((value) => ({ value, label: value === "" ? "All" : words(value) }))} onPick={pick} />
        {search.queue && (
          <Tag className="h-7 gap-1">
            queue {search.queue}
            <button type="button" aria-label="Show every queue" onClick={() => void navigate({ to: "/jobs", search: { ...search, queue: undefined } })}>
              <X className="size-3" />
            </button>
          </Tag>
        )}
      </FilterBar>
      <ResourceList
        label="Jobs"
        query={query}
        columns={COLUMNS}
        to={(row) => `/jobs/${row.id}`}
        under={(row) => (
          <span className="line-clamp-2">
            {words(row.state)} · {row.attempt}/{row.max_attempts}
            {row.last_error ? ` · ${row.last_error}` : ""}
          </span>
        )}
        lead={(row) => <input type="checkbox" aria-label={`Select ${row.kind}`} checked={chosen.has(row.id)} onChange={() => toggle(row.id)} className="size-3.5 accent-accent" />}
        empty={
          state !== "" ? (
            <Empty title={state === "dead" ? "No dead letters" : `No ${state} jobs`} action={<Button look="primary" onClick={() => pick("")}>Show jobs in every state</Button>}>
              {state === "dead" ? "A job comes here when its last attempt failed. None did." : "Nothing is in this state right now."}
            </Empty>
          ) : (
            <Empty title="No jobs yet" action={<a href="/contact" target="_blank" rel="noreferrer" className={buttonClass("primary")}>Open the contact form</a>}>
              The first submission makes some: an e-mail to send, a message to deliver.
            </Empty>
          )
        }
      />
      {selected.length > 0 && <BulkBar selected={selected} onDone={() => setChosen(new Set())} />}
      {state === "" && <Beside />}
    </>
  );
}

/** What can be done with the chosen rows, at the foot of the window where it hides nothing. */
function BulkBar({ selected, onDone }: { selected: Job[]; onDone: () => void }) {
  const client = useQueryClient();
  const [busy, setBusy] = useState<"replay" | "cancel" | null>(null);
  const replayable = selected.filter((job) => job.state === "dead" || job.state === "cancelled");
  const cancellable = selected.filter((job) => WAITING.includes(job.state));
  const run = async (what: "replay" | "cancel", jobs: Job[]) => {
    setBusy(what);
    const done = await Promise.allSettled(
      jobs.map((job) => read(what === "replay" ? api.POST("/v1/jobs/{id}/replay", { params: { path: { id: job.id } } }) : api.POST("/v1/jobs/{id}/cancel", { params: { path: { id: job.id } } }))),
    );
    const failed = done.filter((d) => d.status === "rejected").length;
    const verb = what === "replay" ? "queued again" : "cancelled";
    toast(failed === 0 ? `${plural(jobs.length, "job")} ${verb}` : `${jobs.length - failed} ${verb}, ${failed} refused: their state had changed`, failed === 0 ? "ok" : "warn");
    setBusy(null);
    onDone();
    void client.invalidateQueries({ queryKey: ["jobs"] });
  };
  return (
    <div role="toolbar" aria-label="Selected jobs" className="fixed inset-x-3 bottom-4 z-30 mx-auto flex w-fit max-w-full animate-rise flex-wrap items-center gap-2 rounded-lg border border-line bg-raised py-1.5 pr-1.5 pl-3 shadow-pop md:left-[15rem]">
      <span className="mr-2 figures">{selected.length} selected</span>
      <Button size="sm" busy={busy === "replay"} disabled={replayable.length === 0 || busy !== null} onClick={() => void run("replay", replayable)} icon={<RotateCcw className="size-3.5" />}>
        Replay {replayable.length || ""}
      </Button>
      <Button size="sm" busy={busy === "cancel"} disabled={cancellable.length === 0 || busy !== null} onClick={() => void run("cancel", cancellable)} icon={<Ban className="size-3.5" />}>
        Cancel {cancellable.length || ""}
      </Button>
      <IconButton name="Clear selection" onClick={onDone}>
        <X className="size-3.5" />
      </IconButton>
    </div>
  );
}

/** Parked events and schedules: the two other things that make jobs, or fail to. */
function Beside() {
  const parked = useInfiniteQuery(parkedEventsQuery());
  const schedules = useInfiniteQuery(schedulesQuery());
  const replay = useReplayParked();
  const parkedRows = rowsOf(parked.data);
  const scheduleRows = rowsOf(schedules.data);
  return (
    <>
      {parkedRows.length > 0 && (
        <Section title="Parked events" lead="A consumer could not take these; it went on without them." flush>
          <ul className="rows border-t border-line/70">
            {parkedRows.map((event) => (
              <li key={event.id} className="flex flex-wrap items-start gap-x-4 gap-y-1 px-4 py-2 sm:px-6">
                <Glyph shape="bad" className="mt-[3px]" />
                <div className="min-w-0 flex-1 basis-64">
                  <p className="flex flex-wrap gap-x-2">
                    <span className="mono font-semibold">{event.consumer}</span> <IdText id={event.event_id} short /> <span className="mono text-muted">{event.event_type}</span>
                  </p>
                  <p className="text-xs break-words text-muted">{event.error}</p>
                </div>
                <Ago at={event.parked_at} className="text-xs text-faint" />
                <Button size="sm" busy={replay.isPending && replay.variables === event.id} onClick={() => replay.mutate(event.id, { onSuccess: () => toast("Given to the consumer again"), onError: (error) => toast(toProblem(error).title, "bad") })}>
                  Replay
                </Button>
              </li>
            ))}
          </ul>
        </Section>
      )}
      {scheduleRows.length > 0 && (
        <Section title="Schedules" flush>
          <ul className="rows border-t border-line/70">
            {scheduleRows.map((schedule) => (
              <li key={schedule.id} className="flex flex-wrap items-baseline gap-x-6 gap-y-0.5 px-4 py-2 sm:px-6">
                <span className="mono min-w-40 flex-1 font-semibold">{schedule.name}</span>
                <span className="mono text-muted">
                  {schedule.cron ?? "once"} <span className="text-faint">{schedule.timezone}</span>
                </span>
                <span className="text-xs text-muted">
                  last <Ago at={schedule.last_run_at} />, {schedule.next_run_at ? <>next <Ago at={schedule.next_run_at} /></> : "no more"}
                </span>
              </li>
            ))}
          </ul>
        </Section>
      )}
    </>
  );
}

export function JobScreen() {
  const { id } = getRouteApi("/app/jobs/$id").useParams();
  return (
    <Detail query={useQuery({ ...jobQuery(id), refetchInterval: (q) => (q.state.data && !q.state.data.finished_at ? 3_000 : false) })} parent={{ to: "/jobs", name: "Jobs" }}>
      {(job) => <JobDetail job={job} />}
    </Detail>
  );
}

function JobDetail({ job }: { job: Job }) {
  const replay = useReplayJob();
  const cancel = useCancelJob();
  const problem = replay.error ?? cancel.error;
  return (
    <>
      <PageHead
        parent={{ to: "/jobs", name: "Jobs" }}
        title={<span className="font-mono text-[0.92em]">{job.kind}</span>}
        plainTitle={job.kind}
        meta={
          <>
            <State state={job.state} />
            <To to="/jobs" search={{ queue: job.queue }} className="mono hover:text-ink hover:underline underline-offset-3">
              {job.queue}
            </To>
            <span className="figures">
              attempt {job.attempt} of {job.max_attempts}
            </span>
          </>
        }
        actions={
          <>
            {WAITING.includes(job.state) && (
              <Button size="sm" busy={cancel.isPending} onClick={() => cancel.mutate(job.id, { onSuccess: () => toast("Job cancelled") })} icon={<Ban className="size-3.5" />}>
                Cancel
              </Button>
            )}
            {(job.state === "dead" || job.state === "cancelled") && (
              <Button size="sm" busy={replay.isPending} onClick={() => replay.mutate(job.id, { onSuccess: () => toast("Job queued again") })} icon={<RotateCcw className="size-3.5" />}>
                Replay
              </Button>
            )}
            <To to={`/traces/${job.trace_id}`} className={buttonClass("primary", "sm")}>
              <Waypoints className="size-3.5" aria-hidden="true" /> Trace
            </To>
          </>
        }
      />
      {problem !== null && <ProblemNotice error={problem} className="mx-4 mb-4 sm:mx-6" />}
      <div className="grid border-t border-line lg:grid-cols-[minmax(0,1fr)_26rem]">
        <div className="min-w-0 px-4 py-5 sm:px-6">
          <h2 className="mb-3 font-semibold">Attempts</h2>
          <Attempts attempts={job.attempts.map((a) => ({ ...a, finished_at: a.ended_at, where: a.node, note: a.error }))} empty={job.state === "cancelled" ? "It was cancelled before its first attempt." : "It waits for its first attempt."} />
        </div>
        <div className="border-t border-line px-4 py-4 sm:px-6 lg:border-t-0 lg:border-l">
          <Facts
            rows={[
              ["Id", <IdText key="i" id={job.id} link={false} />],
              ["Due", <Instant key="d" at={job.run_at} />],
              ["Created", <Instant key="c" at={job.created_at} />],
              ["Finished", <Instant key="f" at={job.finished_at} />],
              ["Destination", job.destination ?? "—"],
              ["Ordered by", <IdText key="o" id={job.ordering_key} />],
              ["Caused by", <IdText key="e" id={job.causation_id} />],
              ["Trace", <IdText key="t" id={job.trace_id} />],
            ]}
          />
        </div>
      </div>
      <Section title="Payload">
        <JsonView value={job.payload} label="Payload" />
      </Section>
    </>
  );
}
