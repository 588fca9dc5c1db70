import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { Waypoints } from "lucide-react";
import { useEffect, useRef } from "react";
import type { Mail, MailDetail as MailRecord } from "../api/models";
import { mailQuery, mailsQuery } from "../api/notify";
import { showMail } from "../lib/mailview";
import { buttonClass } from "../ui/Button";
import { CodeBlock } from "../ui/Code";
import { Detail } from "../ui/Detail";
import { Segments } from "../ui/Field";
import { Empty, FilterBar, PageHead } from "../ui/Page";
import { type Column, ResourceList } from "../ui/ResourceList";
import { Ago, Facts, IdText, Instant } from "../ui/Text";
import { To } from "../ui/To";

const COLUMNS: Column<Mail>[] = [
  { key: "subject", head: "Subject", cell: (row) => <span className="block truncate font-medium">{row.subject}</span>, className: "max-w-0 w-[42%] max-md:w-auto" },
  { key: "to", head: "To", cell: (row) => <span className="block truncate text-muted">{row.to}</span>, from: "md", className: "max-w-0 w-[30%]" },
  { key: "at", head: "Written", cell: (row) => <Ago at={row.created_at} className="text-muted" />, align: "right", className: "w-24" },
];

const parent = { to: "/mails", name: "Mails" };

export function Mails() {
  const query = useInfiniteQuery(mailsQuery());
  return (
    <>
      <PageHead title="Mails" lead="The outbox on disk: what would have left if a mail server were configured." />
      <ResourceList
        label="Mails"
        query={query}
        columns={COLUMNS}
        to={(row) => `/mails/${row.id}`}
        under={(row) => row.to}
        empty={
          <Empty title="The outbox is empty" action={<a href="/contact" target="_blank" rel="noreferrer" className={buttonClass("primary")}>Open the contact form</a>}>
            Without a mail server every mail is kept here, whole, for you to read. With one, mails go out and only their notifications are shown.
          </Empty>
        }
      />
    </>
  );
}

const route = getRouteApi("/app/mails/$id");
type View = "html" | "text" | "raw";

export function MailScreen() {
  const { id } = route.useParams();
  return (
    <Detail query={useQuery(mailQuery(id))} parent={parent}>
      {(mail) => <MailDetail mail={mail} />}
    </Detail>
  );
}

function MailDetail({ mail }: { mail: MailRecord }) {
  const asked = route.useSearch().view;
  const navigate = useNavigate();
  const views: View[] = [...(mail.html ? (["html"] as const) : []), ...(mail.text ? (["text"] as const) : []), ...(mail.raw ? (["raw"] as const) : [])];
  const view = views.find((v) => v === asked) ?? views[0] ?? "text";
  const names: Record<View, string> = { html: "As sent", text: "Plain text", raw: "Source" };
  return (
    <>
      <PageHead
        parent={parent}
        title={mail.subject}
        meta={<Instant at={mail.created_at} />}
        actions={
          <To to={`/traces/${mail.trace_id}`} className={buttonClass("primary", "sm")}>
            <Waypoints className="size-3.5" aria-hidden="true" /> Trace
          </To>
        }
      />
      <div className="px-4 pb-4 sm:px-6">
        <Facts
          className="max-w-2xl"
          rows={[
            ["From", mail.from],
            ["To", mail.to],
            ["Notification", <IdText key="n" id={mail.notification_id} />],
          ]}
        />
      </div>
      <FilterBar>
        <Segments name="View" value={view} options={views.map((value) => ({ value, label: names[value] }))} onPick={(next) => void navigate({ to: "/mails/$id", params: { id: mail.id }, search: { view: next }, replace: true })} />
      </FilterBar>
      <div className="border-t border-line bg-ground px-4 py-6 sm:px-6">
        {view === "html" && <HtmlMail html={mail.html ?? ""} />}
        {view === "text" && (
          <CodeBlock label="Plain text" copy={mail.text ?? ""} wrap className="mx-auto max-w-3xl">
            {mail.text}
          </CodeBlock>
        )}
        {view === "raw" && (
          <CodeBlock label="Source" copy={mail.raw ?? ""} wrap className="mx-auto max-w-3xl">
            {mail.raw}
          </CodeBlock>
        )}
      </div>
    </>
  );
}

/** Mails are written for white paper, in both themes. */
function HtmlMail({ html }: { html: string }) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (host.current) showMail(host.current, html);
  }, [html]);
  return (
    <div role="region" aria-label="Mail" tabIndex={0} className="mx-auto max-w-3xl overflow-x-auto rounded-lg border border-line bg-white p-6 text-[#1c1c1c] [color-scheme:light]">
      <div ref={host} />
    </div>
  );
}
