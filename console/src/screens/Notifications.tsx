import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { AtSign, Inbox, RotateCcw, Waypoints } from "lucide-react";
import type { Notification, NotificationDetail as NotificationRecord } from "../api/models";
import { NOTIFICATION_STATES, notificationQuery, notificationsQuery, useReplayNotification } from "../api/notify";
import { plural, words } from "../lib/format";
import { Attempts } from "../ui/Attempts";
import { Button, buttonClass } from "../ui/Button";
import { Detail } from "../ui/Detail";
import { PickField, Segments } from "../ui/Field";
import { Empty, FilterBar, PageHead, Section } from "../ui/Page";
import { ProblemNotice } from "../ui/Problem";
import { type Column, ResourceList } from "../ui/ResourceList";
import { Glyph, shapeOf, State } from "../ui/State";
import { ActorText, Ago, Facts, IdText, Instant } from "../ui/Text";
import { To } from "../ui/To";
import { toast } from "../ui/Toasts";
import { JsonView } from "../ui/Code";

/** Who it is for: an address as it is, a member by name. */
function Recipient({ of }: { of: Notification }) {
  return of.recipient.startsWith("member:") ? <ActorText actor={of.recipient} /> : <>{of.recipient.replace(/^address:/, "")}</>;
}

function Channel({ channel }: { channel: string }) {
  const Icon = channel === "email" ? AtSign : Inbox;
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap">
      <Icon className="size-3.5 text-faint" aria-hidden="true" />
      {channel === "email" ? "E-mail" : channel === "in_app" ? "In-app" : words(channel)}
    </span>
  );
}

const COLUMNS: Column<Notification>[] = [
  {
    key: "subject",
    head: "To",
    cell: (row) => (
      <span className="flex min-w-0 items-center gap-2">
        <Glyph shape={shapeOf(row.state)} />
        <span className="truncate font-medium"><Recipient of={row} /></span>
      </span>
    ),
    className: "max-w-0 w-[36%] max-md:w-auto",
  },
  { key: "channel", head: "Channel", cell: (row) => <Channel channel={row.channel} />, from: "md" },
  { key: "status", head: "State", cell: (row) => words(row.state), from: "sm" },
  { key: "error", head: "Last error", cell: (row) => <span className="block truncate text-muted">{row.last_error ?? ""}</span>, from: "md", className: "max-w-0 w-[28%]" },
  { key: "provider", head: "Through", cell: (row) => <span className="mono text-muted">{row.provider ?? "—"}</span>, from: "lg" },
  { key: "at", head: "Created", cell: (row) => <Ago at={row.created_at} className="text-muted" />, align: "right", className: "w-24" },
];

const route = getRouteApi("/app/notifications");
const STATES = ["", ...NOTIFICATION_STATES] as const;
const CHANNELS = ["email", "in_app"] as const;

export function Notifications() {
  const search = route.useSearch();
  const filter = { state: NOTIFICATION_STATES.find((s) => s === search.state), channel: CHANNELS.find((c) => c === search.channel) };
  const navigate = useNavigate();
  const query = useInfiniteQuery(notificationsQuery(filter));
  const change = (next: { state?: string; channel?: string }) => void navigate({ to: "/notifications", search: { ...search, ...next }, replace: true });
  const filtered = filter.state || filter.channel;
  return (
    <>
      <PageHead title="Notifications" lead="Every message that had to leave, and what became of it." />
      <FilterBar>
        <Segments name="State" value={filter.state ?? ""} options={STATES.map((value) => ({ value, label: value === "" ? "All" : words(value) }))} onPick={(state) => change({ state: state || undefined })} />
        <PickField name="Channel" value={filter.channel ?? ""} onChange={(event) => change({ channel: event.target.value || undefined })}>
          <option value="">All channels</option>
          <option value="email">E-mail</option>
          <option value="in_app">In-app</option>
        </PickField>
      </FilterBar>
      <ResourceList
        label="Notifications"
        query={query}
        columns={COLUMNS}
        to={(row) => `/notifications/${row.id}`}
        under={(row) => `${words(row.state)} · ${row.channel === "email" ? "e-mail" : "in-app"}`}
        empty={
          filtered ? (
            <Empty title="None in this state" action={<Button look="primary" onClick={() => change({ state: undefined, channel: undefined })}>Show all notifications</Button>}>
              No notification matches these filters.
            </Empty>
          ) : (
            <Empty title="Nothing was sent yet" action={<a href="/contact" target="_blank" rel="noreferrer" className={buttonClass("primary")}>Open the contact form</a>}>
              A submission starts the first workflow: one e-mail, one message in your inbox.
            </Empty>
          )
        }
      />
    </>
  );
}

export function NotificationScreen() {
  const { id } = getRouteApi("/app/notifications/$id").useParams();
  return (
    <Detail query={useQuery(notificationQuery(id))} parent={{ to: "/notifications", name: "Notifications" }}>
      {(notification) => <NotificationDetail notification={notification} />}
    </Detail>
  );
}

function NotificationDetail({ notification: n }: { notification: NotificationRecord }) {
  const replay = useReplayNotification();
  return (
    <>
      <PageHead
        parent={{ to: "/notifications", name: "Notifications" }}
        title={n.content ? ("subject" in n.content ? n.content.subject : n.content.title) : "Notification"}
        meta={
          <>
            <State state={n.state} />
            <Channel channel={n.channel} />
            <span className="break-all"><Recipient of={n} /></span>
          </>
        }
        actions={
          <>
            <Button size="sm" busy={replay.isPending} disabled={n.state !== "failed"} title={n.state === "failed" ? undefined : "Only what failed can be sent again"} onClick={() => replay.mutate(n.id, { onSuccess: () => toast("Queued again") })} icon={<RotateCcw className="size-3.5" />}>
              Replay
            </Button>
            <To to={`/traces/${n.trace_id}`} className={buttonClass("primary", "sm")}>
              <Waypoints className="size-3.5" aria-hidden="true" /> Trace
            </To>
          </>
        }
      />
      {replay.isError && <ProblemNotice error={replay.error} className="mx-4 mb-4 sm:mx-6" />}
      <div className="grid border-t border-line lg:grid-cols-[minmax(0,1fr)_26rem]">
        <div className="min-w-0 px-4 py-5 sm:px-6">
          <h2 className="mb-3 font-semibold">{plural(n.attempts.length, "attempt")}</h2>
          <Attempts attempts={n.attempts.map((a) => ({ ...a, note: a.error }))} empty={n.state === "sent" ? "It was delivered in the same transaction that planned it." : "It waits for its first attempt."} />
          {n.content && <Words content={n.content} />}
        </div>
        <div className="border-t border-line px-4 py-4 sm:px-6 lg:border-t-0 lg:border-l">
          <Facts
            rows={[
              ["Id", <IdText key="i" id={n.id} link={false} />],
              ["Workflow", <IdText key="w" id={n.workflow_id} />],
              ["Step", n.step_id],
              ["Through", n.provider ?? "—"],
              ["Created", <Instant key="c" at={n.created_at} />],
              ["Delivered", <Instant key="d" at={n.sent_at} />],
              ["Job", <IdText key="j" id={n.job_id} />],
              ["Event", <IdText key="e" id={n.event_id} />],
              ["Trace", <IdText key="t" id={n.trace_id} />],
            ]}
          />
        </div>
      </div>
      <Section title="As the API gives it">
        <JsonView value={n} />
      </Section>
    </>
  );
}

/** The words that are delivered, plainly. */
function Words({ content }: { content: NonNullable<NotificationRecord["content"]> }) {
  return (
    <div className="mt-8">
      <h2 className="mb-2 font-semibold">What it says</h2>
      <p className="max-w-2xl rounded-lg border border-line bg-sunken px-3.5 py-3 break-words whitespace-pre-wrap">{"text" in content ? content.text : content.body}</p>
    </div>
  );
}
