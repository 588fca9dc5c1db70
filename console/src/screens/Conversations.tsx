import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { ThumbsDown, ThumbsUp } from "lucide-react";
import type { Conversation, Message, Run } from "../api/models";
import { conversationQuery, conversationsQuery } from "../api/assistant";
import { plural } from "../lib/format";
import { clock, duration } from "../lib/time";
import { buttonClass } from "../ui/Button";
import { cx } from "../ui/cx";
import { Detail } from "../ui/Detail";
import { Empty, PageHead } from "../ui/Page";
import { type Column, ResourceList } from "../ui/ResourceList";
import { Tag } from "../ui/State";
import { ActorText, Ago, Instant } from "../ui/Text";
import { To } from "../ui/To";

const COLUMNS: Column<Conversation>[] = [
  { key: "title", head: "First question", cell: (row) => <span className="block truncate font-medium">{row.title}</span>, className: "max-w-0 w-[46%] max-md:w-auto" },
  { key: "owner", head: "Asked by", cell: (row) => <ActorText actor={row.owner} />, from: "md" },
  { key: "messages", head: "Messages", cell: (row) => <span className="figures">{row.message_count}</span>, from: "sm", align: "right" },
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
        under={(row) => plural(row.message_count, "message")}
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
                <ActorText actor={conversation.owner} />
              </>
            }
          />
          <ol className="border-t border-line">
            {conversation.messages.map((message) => (
              <li key={message.id} className="border-b border-line/70">
                {message.role === "user" ? <Question message={message} /> : <Answer message={message} run={conversation.runs.find((run) => run.id === message.run_id) ?? null} />}
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

/** How an answer ended, when it did not simply end. */
function ending(message: Message): { text: string; bad: boolean } | null {
  if (message.failure) return { text: message.failure.replace(/_/g, " "), bad: true };
  if (!message.finish_reason) return { text: "being written", bad: false };
  if (message.finish_reason === "stop") return null;
  return { text: message.finish_reason === "other" ? "stopped by the reader" : message.finish_reason, bad: message.finish_reason === "error" };
}

function Answer({ message, run }: { message: Message; run: Run | null }) {
  const end = ending(message);
  return (
    <div className="grid gap-x-8 gap-y-4 px-4 py-5 sm:px-6 lg:grid-cols-[minmax(0,1fr)_22rem]">
      <div className="min-w-0">
        <p className="mb-1 flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-muted">
          Assistant
          <Tag tone={message.grounded ? "accent" : "warn"}>{message.refused ? "not in the content" : message.grounded ? "from the content" : "not backed"}</Tag>
          {end && <Tag tone={end.bad ? "bad" : "plain"}>{end.text}</Tag>}
          {message.degraded && <Tag tone="warn">without the model: {message.degraded}</Tag>}
          {!!message.rating && (
            <span className="inline-flex items-center gap-1">
              {message.rating > 0 ? <ThumbsUp className="size-3 text-good" aria-hidden="true" /> : <ThumbsDown className="size-3 text-bad" aria-hidden="true" />}
              {message.rating > 0 ? "found helpful" : "found unhelpful"}
              {message.reason ? `: “${message.reason}”` : ""}
            </span>
          )}
        </p>
        <p className="max-w-2xl text-base whitespace-pre-wrap break-words">{marked(message)}</p>
        {message.sources.length > 0 && (
          <ol className="mt-3 max-w-2xl space-y-1.5">
            {message.sources.map((citation) => (
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
            <span className="mono">{run.model && run.model !== run.provider ? `${run.provider}/${run.model}` : run.provider}</span>
            {run.intent && <span>{run.intent}</span>}
            {typeof run.ttft_ms === "number" && <span>first word {duration(run.ttft_ms)}</span>}
            {typeof run.total_ms === "number" && <span>done {duration(run.total_ms)}</span>}
            {run.output_tokens > 0 && <span>{run.input_tokens} → {run.output_tokens} tokens</span>}
            <To to={`/traces/${run.trace_id}`} className="text-accent underline-offset-3 hover:underline">
              Trace
            </To>
          </p>
          <Retrieved run={run} message={message} />
        </div>
      )}
    </div>
  );
}

interface Hit {
  id: string;
  score: number;
}

/** The passages in a run's record, which is kept as the assistant wrote it: read with care. */
function hitsOf(run: Run): Hit[] {
  const passages = run.retrieval.passages;
  if (!Array.isArray(passages)) return [];
  return passages.flatMap((passage: unknown) => {
    if (typeof passage !== "object" || passage === null) return [];
    const { id, score } = passage as { id?: unknown; score?: unknown };
    return typeof id === "string" && typeof score === "number" ? [{ id, score }] : [];
  });
}

/** What the search found, strongest first, and which of it the answer used. */
function Retrieved({ run, message }: { run: Run; message: Message }) {
  const hits = hitsOf(run);
  if (hits.length === 0) return <p className="mt-2 text-xs text-muted">The search found nothing to stand on.</p>;
  const top = Math.max(...hits.map((hit) => hit.score), 0) || 1;
  return (
    <div className="mt-3">
      <p className="label mb-1">Found in the content</p>
      <ol className="space-y-1">
        {hits.map((hit) => {
          const source = message.sources.find((s) => s.source_id === hit.id);
          return (
            <li key={hit.id} className={cx("text-xs", !source && "text-muted")}>
              <div className="flex items-baseline gap-2">
                <span className="mono min-w-0 flex-1 truncate" title={hit.id}>
                  {hit.id}
                </span>
                {source && <span className="text-accent">used</span>}
                <span className="mono w-10 text-right text-muted">{hit.score.toFixed(2)}</span>
              </div>
              <div className="mt-0.5 h-[3px] rounded-full bg-line" aria-hidden="true">
                <div className={cx("h-full rounded-full", source ? "bg-accent" : "bg-control")} style={{ width: `${(hit.score / top) * 100}%` }} />
              </div>
            </li>
          );
        })}
      </ol>
    </div>
  );
}

/** The answer with its `[n]` marks set as small figures. */
function marked(message: Message) {
  return message.text.split(/(\[\d+\])/).map((part, index) => {
    const n = /^\[(\d+)\]$/.exec(part)?.[1];
    const citation = n ? message.sources.find((c) => String(c.n) === n) : undefined;
    if (!citation) return part;
    return (
      <a key={index} href={citation.url} target="_blank" rel="noreferrer" title={citation.title} className="mx-0.5 inline-grid size-4 -translate-y-px place-items-center rounded-sm bg-accent-wash align-middle text-2xs font-semibold text-accent figures">
        {n}
      </a>
    );
  });
}

