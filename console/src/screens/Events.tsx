import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { Pause, Play, Waypoints } from "lucide-react";
import { useCallback, useState } from "react";
import { eventQuery, eventsQuery } from "../api/flow";
import type { TailEvent } from "../api/live";
import { useEventTail, useLinkState } from "../api/realtime";
import { shortId } from "../lib/format";
import { clock, day } from "../lib/time";
import { Button, buttonClass } from "../ui/Button";
import { JsonView } from "../ui/Code";
import { Detail } from "../ui/Detail";
import { SearchField } from "../ui/Field";
import { Empty, FilterBar, PageHead, Section } from "../ui/Page";
import { type Column, ResourceList } from "../ui/ResourceList";
import { ActorText, Facts, IdText, Instant, useNow } from "../ui/Text";
import { To } from "../ui/To";

/** Rows that arrived this recently are lit while they settle. */
const FRESH_MS = 4_000;

function When({ at }: { at: string }) {
  const now = useNow();
  const today = new Date(at).toDateString() === new Date(now).toDateString();
  return (
    <time dateTime={at} className="mono whitespace-nowrap text-muted">
      {!today && <span className="text-faint">{day(at, now)} </span>}
      {clock(at)}
    </time>
  );
}

/** The type with its last word, the one that says what happened, set off from where it happened. */
function EventType({ type }: { type: string }) {
  const cut = type.lastIndexOf(".");
  return (
    <span className="mono">
      <span className="text-muted">{type.slice(0, cut + 1)}</span>
      <span className="font-semibold">{type.slice(cut + 1)}</span>
    </span>
  );
}

const COLUMNS: Column<TailEvent>[] = [
  { key: "type", head: "Type", cell: (row) => <span className="block truncate"><EventType type={row.type} /></span>, className: "max-w-0 w-[32%] max-md:w-auto" },
  { key: "subject", head: "Subject", cell: (row) => <span className="mono block truncate text-muted" title={row.subject}>{shortId(row.subject)}</span>, from: "md", className: "max-w-0 w-[18%]" },
  { key: "actor", head: "By", cell: (row) => <ActorText actor={row.actor} />, from: "lg" },
  { key: "position", head: "Position", cell: (row) => <span className="mono text-faint" title="Partition and sequence">{row.sequence === undefined ? "" : `${row.partition}/${row.sequence}`}</span>, from: "lg", align: "right" },
  {
    key: "trace",
    head: <span className="sr-only">Trace</span>,
    cell: (row) => (
      <To to={`/traces/${row.trace_id}`} className="relative z-1 inline-grid size-6 place-items-center rounded text-faint hover:bg-line/60 hover:text-accent" aria-label="Trace" title="Trace">
        <Waypoints className="size-3.5" aria-hidden="true" />
      </To>
    ),
    from: "sm",
    className: "w-10",
  },
  { key: "at", head: "At", cell: (row) => <When at={row.created_at} />, align: "right", className: "w-32 max-sm:w-28" },
];

const route = getRouteApi("/app/events");

export function Events() {
  const { type } = route.useSearch();
  const navigate = useNavigate();
  const query = useInfiniteQuery(eventsQuery({ type }));
  const tail = useEventTail();
  const live = useLinkState() === "live";
  const now = useNow();
  // A paused tail shows what had arrived when it was paused, and counts the rest.
  const [heldAt, setHeldAt] = useState<string | null>(null);
  const matching = tail.filter((event) => !type || event.type === type);
  const held = heldAt === null ? [] : matching.filter((event) => event.created_at > heldAt);
  const search = useCallback((text: string) => void navigate({ to: "/events", search: { type: text || undefined }, replace: true }), [navigate]);
  return (
    <>
      <PageHead
        title="Events"
        lead="What happened, in the order it was committed."
        actions={
          <Button size="sm" disabled={!live} onClick={() => setHeldAt(heldAt === null ? new Date().toISOString() : null)} icon={heldAt === null ? <Pause className="size-3.5" /> : <Play className="size-3.5" />}>
            {heldAt === null ? "Pause" : held.length > 0 ? `Resume (${held.length} new)` : "Resume"}
          </Button>
        }
      />
      <FilterBar>
        <SearchField name="Filter by type" placeholder="forms.submission.completed" value={type ?? ""} onSearch={search} />
        <span className="ml-auto text-xs text-muted">{heldAt !== null ? "Paused" : live ? "New events appear on top" : "Not live: reload to see newer events"}</span>
      </FilterBar>
      <ResourceList
        label="Events"
        query={query}
        columns={COLUMNS}
        before={matching.filter((event) => !held.includes(event))}
        fresh={(row) => now - Date.parse(row.created_at) < FRESH_MS}
        to={(row) => `/events/${row.id}`}
        under={(row) => shortId(row.subject)}
        empty={
          type ? (
            <Empty title="No events of this type" action={<Button look="primary" onClick={() => search("")}>Show all events</Button>}>
              Types are matched whole, like <span className="mono">forms.submission.completed</span>.
            </Empty>
          ) : (
            <Empty title="Nothing has happened yet" action={<a href="/contact" target="_blank" rel="noreferrer" className={buttonClass("primary")}>Open the contact form</a>}>
              Every change leaves an event here, in the same transaction. Send a form and watch.
            </Empty>
          )
        }
      />
    </>
  );
}

export function EventScreen() {
  const { id } = getRouteApi("/app/events/$id").useParams();
  const parent = { to: "/events", name: "Events" };
  return (
    <Detail query={useQuery(eventQuery(id))} parent={parent}>
      {(event) => (
        <>
          <PageHead
            parent={parent}
            title={<EventType type={event.type} />}
            plainTitle={event.type}
            meta={<Instant at={event.created_at} />}
            actions={
              <To to={`/traces/${event.trace_id}`} className={buttonClass("primary", "sm")}>
                <Waypoints className="size-3.5" aria-hidden="true" /> Trace
              </To>
            }
          />
          <div className="px-4 pb-5 sm:px-6">
            <Facts
              className="max-w-3xl"
              rows={[
                ["Id", <IdText key="i" id={event.id} link={false} />],
                ["Subject", <IdText key="s" id={event.subject} />],
                ["By", <ActorText key="a" actor={event.actor} short={false} />],
                ["Position", <span key="p" className="figures">partition {event.partition}, sequence {event.sequence}</span>],
                ["Version", <span key="v" className="figures">{event.version}</span>],
                ["Caused by", <IdText key="c" id={event.causation_id} />],
                ["Trace", <IdText key="t" id={event.trace_id} />],
              ]}
            />
          </div>
          <Section title="Data">
            <JsonView value={event.data} label="Data" />
          </Section>
        </>
      )}
    </Detail>
  );
}
