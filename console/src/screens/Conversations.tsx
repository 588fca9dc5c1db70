import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { ThumbsDown, ThumbsUp } from "lucide-react";
import type { Conversation, Message } from "../api/models";
import { conversationQuery, conversationsQuery } from "../api/assistant";
import { plural, shortId } from "../lib/format";
import { clock, duration } from "../lib/time";
import { buttonClass } from "../ui/Button";
import { cx } from "../ui/cx";
import { Detail } from "../ui/Detail";
import { Empty, PageHead } from "../ui/Page";
import { type Column, ResourceList } from "../ui/ResourceList";
import { Glyph, Tag } from "../ui/State";
import { Ago, Instant } from "../ui/Text";
import { To } from "../ui/To";

const COLUMNS: Column<Conversation>[] = [
  { key: "title", head: "First question", cell: (row) => <span className="block truncate font-medium">{row.title}</span>, className: "max-w-0 w-[46%] max-md:w-auto" },
  { key: "page", head: "On page", cell: (row) => <span className="mono block truncate text-muted">{row.page ?? "—"}</span>, from: "md", className: "max-w-0 w-[20%]" },
  { key: "grounded", head: "Answers", cell: (row) => (row.grounded ? <span className="inline-flex items-center gap-1.5 whitespace-nowrap"><Glyph shape="ok" /> from content</span> : <span className="inline-flex items-center gap-1.5 whitespace-nowrap"><Glyph shape="warn" /> some without</span>), from: "sm" },
  { key: "messages", head: "Messages", cell: (row) => <span className="figures">{row.message_count}</span>, from: "lg", align: "right" },
  { key: "at", head: "Last", cell: (row) => <Ago at={row.updated_at} className="text-muted" />, align: "right", className: "w-24" },
];

const parent = { to: "/conversations", name: "Conversations" };

export function Conversations() {
  const query = useInfiniteQuery(conversationsQuery());
  return (
    <>
      <PageHead title="Conversations" lead="What visitors asked the assistant, and what its answers stood on." />
      <ResourceList
        label="Conversations"
        query={query}
        columns={COLUMNS}
        to={(row) => `/conversations/${row.id}`}
        under={(row) => `${plural(row.message_count, "message")}${row.page ? ` · ${row.page}` : ""}`}
        empty={
          <Empty title="Nobody has asked yet" action={<a href="/" target="_blank" rel="noreferrer" className={buttonClass("primary")}>Ask on the site</a>}>
            Open the site and ask it something. The transcript shows up here with the passages it used.
          </Empty>
        }
      />
    </>
  );
}

export function ConversationScreen() {
  const { id } = getRouteApi("/app/conversations/$id").useParams();
  return (
    <Detail query={useQuery(conversationQuery(id))} parent={parent}>
      {(conversation) => (
        <>
          <PageHead
            parent={parent}
            title={conversation.title}
            meta={
              <>
                <Instant at={conversation.created_at} />
                <span>{plural(conversation.message_count, "message")}</span>
                {conversation.page && <span className="mono">{conversation.page}</span>}
                <span className="mono text-faint" title={conversation.visitor}>{shortId(conversation.visitor)}</span>
              </>
            }
          />
          <ol className="border-t border-line">
            {conversation.messages.map((message) => (
              <li key={message.id} className="border-b border-line/70">
                {message.role === "user" ? <Question message={message} /> : <Answer message={message} />}
              </li>
            ))}
          </ol>
        </>
      )}
    </Detail>
  );
}

function Question({ message }: { message: Message }) {
  return (
    <div className="bg-ground px-4 py-4 sm:px-6">
      <p className="mb-1 flex items-baseline gap-3 text-xs text-muted">
        Visitor <span className="text-faint figures">{clock(message.created_at).slice(0, 8)}</span>
      </p>
      <p className="max-w-2xl text-base font-medium whitespace-pre-wrap break-words">{message.text}</p>
    </div>
  );
}

function Answer({ message }: { message: Message }) {
  const { run } = message;
  return (
    <div className="grid gap-x-8 gap-y-4 px-4 py-5 sm:px-6 lg:grid-cols-[minmax(0,1fr)_22rem]">
      <div className="min-w-0">
        <p className="mb-1 flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-muted">
          Assistant
          {run && <Tag tone={run.grounded ? "accent" : "warn"}>{run.refused ? "declined" : run.grounded ? "from content" : "not in the content"}</Tag>}
          {message.status !== "complete" && <Tag tone={message.status === "error" ? "bad" : "plain"}>{message.status}</Tag>}
          {message.rating !== null && message.rating !== 0 && (
            <span className="inline-flex items-center gap-1">
              {message.rating > 0 ? <ThumbsUp className="size-3 text-good" aria-hidden="true" /> : <ThumbsDown className="size-3 text-bad" aria-hidden="true" />}
              {message.rating > 0 ? "found helpful" : "found unhelpful"}
            </span>
          )}
        </p>
        <p className="max-w-2xl text-base whitespace-pre-wrap break-words">{marked(message)}</p>
        {message.citations.length > 0 && (
          <ol className="mt-3 max-w-2xl space-y-1.5">
            {message.citations.map((citation) => (
              <li key={citation.n} className="flex gap-2.5">
                <span className="mt-px grid size-4 shrink-0 place-items-center rounded-sm bg-accent-wash text-2xs font-semibold text-accent figures">{citation.n}</span>
                <div className="min-w-0">
                  <a href={citation.url} target="_blank" rel="noreferrer" className="text-accent underline-offset-3 hover:underline">
                    {citation.title}
                  </a>
                  <p className="text-xs text-muted">“{citation.quote}”</p>
                </div>
              </li>
            ))}
          </ol>
        )}
      </div>
      {run && (
        <div className="min-w-0 lg:border-l lg:border-line lg:pl-6">
          <p className="flex flex-wrap items-baseline gap-x-4 gap-y-1 text-xs text-muted figures">
            <span className="mono">{run.provider}</span>
            {run.ttft_ms !== null && <span>first word {duration(run.ttft_ms)}</span>}
            {run.total_ms !== null && <span>done {duration(run.total_ms)}</span>}
            {run.output_tokens > 0 && <span>{run.input_tokens} → {run.output_tokens} tokens</span>}
            <To to={`/traces/${run.trace_id}`} className="text-accent underline-offset-3 hover:underline">
              Trace
            </To>
          </p>
          <Retrieved run={run} />
        </div>
      )}
    </div>
  );
}

/** What the search found, strongest first, and which of it the answer used. */
function Retrieved({ run }: { run: NonNullable<Message["run"]> }) {
  if (run.retrieved.length === 0) return <p className="mt-2 text-xs text-muted">The search found nothing to stand on.</p>;
  const top = Math.max(...run.retrieved.map((p) => p.score), 0) || 1;
  return (
    <div className="mt-3">
      <p className="label mb-1">Found in the content</p>
      <ol className="space-y-1">
        {run.retrieved.map((passage) => (
          <li key={passage.passage_id} className={cx("text-xs", !passage.used && "text-muted")}>
            <div className="flex items-baseline gap-2">
              <a href={passage.url} target="_blank" rel="noreferrer" className="min-w-0 flex-1 truncate underline-offset-3 hover:underline" title={passage.passage_id}>
                {passage.path}
              </a>
              {passage.used && <span className="text-accent">used</span>}
              <span className="mono w-9 text-right text-muted">{passage.score.toFixed(2)}</span>
            </div>
            <div className="mt-0.5 h-[3px] rounded-full bg-line" aria-hidden="true">
              <div className={cx("h-full rounded-full", passage.used ? "bg-accent" : "bg-control")} style={{ width: `${(passage.score / top) * 100}%` }} />
            </div>
          </li>
        ))}
      </ol>
    </div>
  );
}

/** The answer with its `[n]` marks set as small figures. */
function marked(message: Message) {
  return message.text.split(/(\[\d+\])/).map((part, index) => {
    const n = /^\[(\d+)\]$/.exec(part)?.[1];
    const citation = n ? message.citations.find((c) => String(c.n) === n) : undefined;
    if (!citation) return part;
    return (
      <a key={index} href={citation.url} target="_blank" rel="noreferrer" title={citation.title} className="mx-0.5 inline-grid size-4 -translate-y-px place-items-center rounded-sm bg-accent-wash align-middle text-2xs font-semibold text-accent figures">
        {n}
      </a>
    );
  });
}

