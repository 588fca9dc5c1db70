import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { Download, Trash2, Waypoints } from "lucide-react";
import { useCallback, useState } from "react";
import { csvAddress, formQuery, formsQuery, submissionQuery, submissionsQuery, useDeleteSubmission } from "../api/forms";
import type { Submission } from "../api/models";
import { rowsOf } from "../api/pages";
import { words } from "../lib/format";
import { Button, buttonClass, IconButton } from "../ui/Button";
import { Detail } from "../ui/Detail";
import { Confirm } from "../ui/Dialog";
import { PickField, SearchField } from "../ui/Field";
import { Empty, FilterBar, PageHead, Section } from "../ui/Page";
import { type Column, ResourceList } from "../ui/ResourceList";
import { JsonView } from "../ui/Code";
import { ActorText, Ago, Facts, IdText, Instant } from "../ui/Text";
import { To } from "../ui/To";
import { toast } from "../ui/Toasts";

const route = getRouteApi("/app/submissions");

/** The answers that say most about who wrote: name and address first, then whatever the form asks first. */
function summary(submission: Submission): { who: string; what: string } {
  const given = submission.fields.filter((field) => field.display !== "");
  const who = given.find((field) => field.key.includes("name")) ?? given.find((field) => field.type === "email") ?? given[0];
  const what = given.filter((field) => field !== who && field.type !== "email").sort((a, b) => b.display.length - a.display.length)[0];
  return { who: who?.display ?? submission.id, what: what?.display ?? "" };
}

const columns = (nameOf: (form: string) => string): Column<Submission>[] => [
  { key: "who", head: "From", cell: (row) => <span className="block truncate font-medium">{summary(row).who}</span>, className: "max-w-0 w-[22%] max-md:w-auto" },
  { key: "what", head: "Says", cell: (row) => <span className="block truncate text-muted">{summary(row).what}</span>, from: "md", className: "max-w-0 w-[45%]" },
  { key: "form", head: "Form", cell: (row) => <span className="block truncate">{nameOf(row.form_id)}</span>, from: "lg", className: "max-w-0 w-[15%]" },
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
  { key: "at", head: "Received", cell: (row) => <Ago at={row.created_at} className="text-muted" />, align: "right", className: "w-24" },
];

export function Submissions() {
  const { form_id, q } = route.useSearch();
  const navigate = useNavigate();
  const query = useInfiniteQuery(submissionsQuery({ form_id, q }));
  const forms = rowsOf(useInfiniteQuery(formsQuery()).data);
  const filter = useCallback((change: { form_id?: string; q?: string }) => void navigate({ to: "/submissions", search: (before) => ({ ...before, ...change }), replace: true }), [navigate]);
  const search = useCallback((text: string) => filter({ q: text || undefined }), [filter]);
  const exported = form_id ?? (forms.length === 1 ? forms[0]?.id : undefined);
  return (
    <>
      <PageHead
        title="Submissions"
        lead="What people sent, newest first."
        actions={
          exported ? (
            <a href={csvAddress(exported)} download className={buttonClass("plain", "sm")}>
              <Download className="size-3.5" aria-hidden="true" /> Export CSV
            </a>
          ) : (
            <span className="text-xs text-muted">Choose a form to export it as CSV</span>
          )
        }
      />
      <FilterBar>
        <SearchField name="Search submissions" value={q ?? ""} onSearch={search} />
        <PickField name="Form" value={form_id ?? ""} onChange={(event) => filter({ form_id: event.target.value || undefined })}>
          <option value="">All forms</option>
          {forms.map((form) => (
            <option key={form.id} value={form.id}>
              {form.name}
            </option>
          ))}
        </PickField>
      </FilterBar>
      <ResourceList
        label="Submissions"
        query={query}
        columns={columns((id) => forms.find((form) => form.id === id)?.name ?? "")}
        to={(row) => `/submissions/${row.id}`}
        under={(row) => <span className="line-clamp-2">{summary(row).what}</span>}
        empty={
          q || form_id ? (
            <Empty title="Nothing matches" action={<Button look="primary" onClick={() => filter({ q: undefined, form_id: undefined })}>Show all submissions</Button>}>
              No submission has these words in this form.
            </Empty>
          ) : (
            <Empty
              title="No submissions yet"
              action={
                <>
                  <a href="/contact" target="_blank" rel="noreferrer" className={buttonClass("primary")}>
                    Open the contact form
                  </a>
                  <To to="/forms" className={buttonClass()}>
                    See the forms
                  </To>
                </>
              }
            >
              Send one through the site and it appears here within the second, without a reload.
            </Empty>
          )
        }
      />
    </>
  );
}

export function SubmissionScreen() {
  const { id } = getRouteApi("/app/submissions/$id").useParams();
  const parent = { to: "/submissions", name: "Submissions" };
  return (
    <Detail query={useQuery(submissionQuery(id))} parent={parent}>
      {(submission) => <SubmissionDetail submission={submission} parent={parent} />}
    </Detail>
  );
}

function SubmissionDetail({ submission, parent }: { submission: Submission; parent: { to: string; name: string } }) {
  const [asking, setAsking] = useState(false);
  const form = useQuery(formQuery(submission.form_id));
  const remove = useDeleteSubmission();
  const navigate = useNavigate();
  return (
    <>
      <PageHead
        parent={parent}
        title={summary(submission).who}
        meta={
          <>
            <To to={`/forms/${submission.form_id}`} className="hover:text-ink hover:underline underline-offset-3">
              {form.data?.name ?? "Form"}
            </To>
            <Instant at={submission.created_at} />
          </>
        }
        actions={
          <>
            <To to={`/traces/${submission.trace_id}`} className={buttonClass("primary", "sm")}>
              <Waypoints className="size-3.5" aria-hidden="true" /> Trace
            </To>
            <IconButton name="Delete submission" onClick={() => setAsking(true)}>
              <Trash2 className="size-4" />
            </IconButton>
          </>
        }
      />
      <div className="grid border-t border-line lg:grid-cols-[minmax(0,1fr)_26rem]">
        <dl className="rows min-w-0">
          {submission.fields.map((field) => (
            <div key={field.key} className="grid gap-x-6 gap-y-0.5 px-4 py-3 sm:grid-cols-[9rem_minmax(0,1fr)] sm:px-6">
              <dt className="text-muted">{field.label || words(field.key)}</dt>
              <dd className="text-base break-words whitespace-pre-wrap">{field.display || <span className="text-faint">left empty</span>}</dd>
            </div>
          ))}
        </dl>
        <div className="border-t border-line px-4 py-4 sm:px-6 lg:border-t-0 lg:border-l">
          <Facts
            rows={[
              ["Id", <IdText key="id" id={submission.id} link={false} />],
              ["Form version", <To key="v" to={`/forms/${submission.form_id}`} search={{ version: String(submission.version) }} className="text-accent hover:underline underline-offset-3">{submission.version}</To>],
              ["From", <ActorText key="a" actor={submission.actor} />],
              ["Client", submission.user_agent || "—"],
              ["Trace", <IdText key="t" id={submission.trace_id} />],
            ]}
          />
        </div>
      </div>
      <Section title="As the API gives it">
        <JsonView value={submission} />
      </Section>
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        title="Delete this submission?"
        verb="Delete"
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() =>
          remove.mutate(submission.id, {
            onSuccess: () => {
              toast("Submission deleted");
              void navigate({ to: "/submissions" });
            },
          })
        }
      >
        What was written is erased. The event that it arrived stays in the log, and so do mails already sent.
      </Confirm>
    </>
  );
}
