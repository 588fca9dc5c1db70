import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { eventsQuery } from "../api/flow";
import type { EventRecord } from "../api/models";
import { rowsOf } from "../api/pages";
import { routeForId } from "../lib/ids";
import { plural, shortId } from "../lib/format";
import { Button, buttonClass } from "../ui/Button";
import { barInputClass } from "../ui/Field";
import { cx } from "../ui/cx";
import { Empty, FilterBar, PageHead } from "../ui/Page";
import { type Column, ResourceList } from "../ui/ResourceList";
import { ActorText, Ago } from "../ui/Text";

interface TraceLine {
  id: string;
  first: EventRecord;
  last: EventRecord;
  events: number;
}

/** Events of one trace as one line: the first tells what was asked, the last how far it came. */
function linesOf(events: EventRecord[]): TraceLine[] {
  const lines = new Map<string, TraceLine>();
  for (const event of events) {
    const line = lines.get(event.trace_id);
    // Newest first: each further event is an earlier one.
    if (line) {
      line.first = event;
      line.events += 1;
    } else {
      lines.set(event.trace_id, { id: event.trace_id, first: event, last: event, events: 1 });
    }
  }
  return [...lines.values()];
}

const COLUMNS: Column<TraceLine>[] = [
  { key: "began", head: "Began with", cell: (row) => <span className="mono block truncate font-semibold">{row.first.type}</span>, className: "max-w-0 w-[34%] max-md:w-auto" },
  { key: "came", head: "Came to", cell: (row) => <span className="mono block truncate text-muted">{row.events > 1 ? row.last.type : "—"}</span>, from: "md", className: "max-w-0 w-[28%]" },
  { key: "actor", head: "By", cell: (row) => <ActorText actor={row.first.actor} />, from: "lg" },
  { key: "events", head: "Events", cell: (row) => <span className="figures">{row.events}</span>, from: "sm", align: "right" },
  { key: "id", head: "Trace", cell: (row) => <span className="mono text-faint">{shortId(row.id)}</span>, from: "lg", align: "right" },
  { key: "at", head: "Began", cell: (row) => <Ago at={row.first.created_at} className="text-muted" />, align: "right", className: "w-24" },
];

export function Traces() {
  const query = useInfiniteQuery({
    ...eventsQuery({}),
    select: (data) => ({ ...data, pages: [{ object: "list" as const, data: linesOf(rowsOf(data)), has_more: false, next_cursor: null }] }),
  });
  const navigate = useNavigate();
  const [id, setId] = useState("");
  const address = routeForId(id);
  return (
    <>
      <PageHead title="Traces" lead="One story each: from a request through events and jobs to what reached somebody." />
      <FilterBar>
        <form
          className="flex min-w-0 flex-1 items-center gap-2 sm:max-w-xl"
          onSubmit={(event) => {
            event.preventDefault();
            if (address) void navigate({ to: address as "." });
          }}
        >
          <input data-search="" aria-label="Trace id" placeholder="Open by trace id: 32 hexadecimal digits" spellCheck={false} value={id} onChange={(event) => setId(event.target.value)} className={cx(barInputClass, "min-w-0 flex-1 px-2 font-mono")} />
          <Button type="submit" size="sm" disabled={!address}>
            Open
          </Button>
        </form>
        <span className="ml-auto text-xs text-faint max-md:hidden">{query.data ? `${plural(query.data.pages[0]?.data.length ?? 0, "trace")} from the latest events` : ""}</span>
      </FilterBar>
      <ResourceList
        label="Traces"
        query={query}
        columns={COLUMNS}
        to={(row) => `/traces/${row.id}`}
        under={(row) => `${plural(row.events, "event")} · ${shortId(row.id)}`}
        empty={
          <Empty title="No traces yet" action={<a href="/contact" target="_blank" rel="noreferrer" className={buttonClass("primary")}>Open the contact form</a>}>
            Send a form through the site: its way through the house is drawn here.
          </Empty>
        }
      />
    </>
  );
}
