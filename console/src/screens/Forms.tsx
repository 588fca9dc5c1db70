import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { Download, ExternalLink, Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { csvAddress, formDraftQuery, formQuery, formsQuery, formVersionsQuery, useCreateForm, useDeleteForm } from "../api/forms";
import type { Form, FormDefinition, FormField } from "../api/models";
import { rowsOf } from "../api/pages";
import { fieldError } from "../api/problem";
import { fieldsOf, keyFrom, textOf } from "../lib/definition";
import { plural, words } from "../lib/format";
import { Button, buttonClass, IconButton } from "../ui/Button";
import { Detail } from "../ui/Detail";
import { Confirm, Dialog, DialogActions } from "../ui/Dialog";
import { TextField } from "../ui/Field";
import { FieldPreview } from "../ui/FieldPreview";
import { Empty, PageHead, Section } from "../ui/Page";
import { ProblemNotice } from "../ui/Problem";
import { type Column, ResourceList } from "../ui/ResourceList";
import { State, Tag } from "../ui/State";
import { ActorText, Ago, Facts, IdText, Instant } from "../ui/Text";
import { To } from "../ui/To";
import { toast } from "../ui/Toasts";
import { CodeBlock, JsonView } from "../ui/Code";

/** What a form is, in one word: closed, public, or not yet. */
function stateOf(form: Form): { state: string; label: string } {
  if (form.state !== "active") return { state: "cancelled", label: words(form.state) };
  return form.live_version == null ? { state: "draft", label: "Draft" } : { state: "published", label: "Published" };
}

const COLUMNS: Column<Form>[] = [
  { key: "title", head: "Form", cell: (row) => <span className="block truncate font-medium">{row.name}</span>, className: "max-w-0 w-[34%] max-md:w-auto" },
  { key: "key", head: "Key", cell: (row) => <span className="mono text-muted">{row.external_id ?? "—"}</span>, from: "md" },
  { key: "status", head: "State", cell: (row) => <State {...stateOf(row)} />, from: "sm" },
  { key: "version", head: "Version", cell: (row) => <span className="figures">{row.live_version ?? "—"}</span>, from: "md", align: "right" },
  { key: "at", head: "Changed", cell: (row) => <Ago at={row.updated_at} className="text-muted" />, align: "right", className: "w-24" },
];

const routeOfList = getRouteApi("/app/forms");

export function Forms() {
  const { new: creating } = routeOfList.useSearch();
  const navigate = useNavigate();
  const query = useInfiniteQuery(formsQuery());
  const open = (yes: boolean) => void navigate({ to: "/forms", search: yes ? { new: true } : {}, replace: true });
  const create = (
    <Button look="primary" data-create="" onClick={() => open(true)} icon={<Plus className="size-3.5" />}>
      New form
    </Button>
  );
  return (
    <>
      <PageHead title="Forms" lead="What can be asked, in versions. A submission always keeps the version it answered." actions={create} />
      <ResourceList
        label="Forms"
        query={query}
        columns={COLUMNS}
        to={(row) => `/forms/${row.id}`}
        under={(row) => `${stateOf(row).label}${row.live_version == null ? "" : ` · version ${row.live_version}`}`}
        empty={
          <Empty title="No forms yet" action={<Button look="primary" onClick={() => open(true)} icon={<Plus className="size-3.5" />}>New form</Button>}>
            Start with a name, an e-mail and a message. You can change everything before anyone sees it.
          </Empty>
        }
      />
      <NewForm open={creating === true} onClose={() => open(false)} />
    </>
  );
}

/** What a new form starts with: the three questions nearly every form asks. */
function starter(title: string): FormDefinition {
  return {
    lang: 1,
    default_locale: "en",
    title: { en: title },
    pages: [
      {
        id: "pg_1",
        items: [
          { id: "fl_name", key: "name", type: "text", label: { en: "Name" }, required: true, max_length: 120, autocomplete: "name" },
          { id: "fl_email", key: "email", type: "email", label: { en: "E-mail" }, required: true, autocomplete: "email" },
          { id: "fl_message", key: "message", type: "long_text", label: { en: "Message" }, required: true, max_length: 5000 },
        ],
      },
    ],
    settings: { submit_label: { en: "Send" }, thank_you: { en: "Thank you. We will answer soon." } },
  };
}

function NewForm({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [title, setTitle] = useState("");
  const [key, setKey] = useState<string | null>(null);
  const create = useCreateForm();
  const navigate = useNavigate();
  const shownKey = key ?? (title ? keyFrom(title, []).replace(/_/g, "-") : "");
  return (
    <Dialog open={open} onClose={onClose} title="New form" description="It begins as a draft with a name, an e-mail and a message.">
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate({ name: title, external_id: shownKey, definition: starter(title) }, { onSuccess: (form) => void navigate({ to: "/forms/$id/edit", params: { id: form.id } }) });
        }}
      >
        <TextField label="Name" required autoFocus value={title} onChange={(e) => setTitle(e.target.value)} error={fieldError(create.error, "/name")} placeholder="Contact" />
        <TextField label="Key" required value={shownKey} onChange={(e) => setKey(e.target.value)} error={fieldError(create.error, "/external_id")} help="What pages and code call the form by. It stays when the name changes." className="font-mono" spellCheck={false} />
        {create.isError && <ProblemNotice error={create.error} shown={["/name", "/external_id"]} />}
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={create.isPending}>
            Create and edit
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

const parent = { to: "/forms", name: "Forms" };
const routeOfOne = getRouteApi("/app/forms/$id");

export function FormScreen() {
  const { id } = routeOfOne.useParams();
  return (
    <Detail query={useQuery(formQuery(id))} parent={parent}>
      {(form) => <FormDetail form={form} />}
    </Detail>
  );
}

function FormDetail({ form }: { form: Form }) {
  const { version: asked } = routeOfOne.useSearch();
  const versionsQuery = useInfiniteQuery(formVersionsQuery(form.id));
  const versions = rowsOf(versionsQuery.data);
  const shown = versions.find((v) => String(v.number) === asked) ?? versions.find((v) => v.number === form.live_version);
  const draft = useQuery(formDraftQuery(form.id));
  const unpublished = draft.data !== undefined && shown !== undefined && JSON.stringify(draft.data.data.definition) !== JSON.stringify(versions[0]?.definition);
  const definition = shown?.definition ?? draft.data?.data.definition;
  const [asking, setAsking] = useState(false);
  const remove = useDeleteForm();
  const navigate = useNavigate();
  return (
    <>
      <PageHead
        parent={parent}
        title={form.name}
        meta={
          <>
            <State {...stateOf(form)} />
            {unpublished && <State state="changed" label="The draft has changes" />}
            {form.external_id && <span className="mono">{form.external_id}</span>}
            <To to="/submissions" search={{ form_id: form.id }} className="text-accent underline-offset-3 hover:underline">
              Submissions
            </To>
          </>
        }
        actions={
          <>
            <a href={csvAddress(form.id)} download className={buttonClass("plain", "sm")}>
              <Download className="size-3.5" aria-hidden="true" /> CSV
            </a>
            <To to={`/forms/${form.id}/edit`} className={buttonClass("primary", "sm")}>
              <Pencil className="size-3.5" aria-hidden="true" /> Edit
            </To>
            <IconButton name="Delete form" onClick={() => setAsking(true)}>
              <Trash2 className="size-4" />
            </IconButton>
          </>
        }
      />
      <div className="grid border-t border-line lg:grid-cols-[minmax(0,1fr)_26rem]">
        <div className="min-w-0 px-4 py-5 sm:px-6">
          <h2 className="mb-4 flex items-center gap-2 font-semibold">
            {shown ? `Version ${shown.number}` : "Draft"} {shown && shown.number === form.live_version ? <Tag tone="accent">published</Tag> : <Tag>not public</Tag>}
          </h2>
          {draft.isError && <ProblemNotice error={draft.error} onRetry={() => void draft.refetch()} />}
          {definition ? <DefinitionView definition={definition} /> : <div className="bone h-24 max-w-xl" />}
        </div>
        <aside className="border-t border-line lg:border-t-0 lg:border-l" aria-label="Versions">
          <h2 className="px-4 pt-5 pb-2 font-semibold sm:px-6">Versions</h2>
          {versionsQuery.isError && <ProblemNotice error={versionsQuery.error} className="mx-4 mb-4 sm:mx-6" onRetry={() => void versionsQuery.refetch()} />}
          {versionsQuery.isSuccess && versions.length === 0 && (
            <p className="px-4 pb-5 text-muted sm:px-6">
              Nothing published yet. <To to={`/forms/${form.id}/edit`} className="text-accent underline underline-offset-3">Edit and publish</To>
            </p>
          )}
          <ul className="rows border-y border-line/70">
            {versions.map((v) => (
              <li key={v.id} className={v.id === shown?.id ? "bg-hover" : undefined}>
                <To to={`/forms/${form.id}`} search={{ version: String(v.number) }} replace aria-current={v.id === shown?.id} className="block px-4 py-2 hover:bg-hover sm:px-6">
                  <span className="flex items-baseline justify-between gap-3">
                    <span>
                      Version {v.number} <span className="text-muted">· {plural(fieldsOf(v.definition).length, "field")}</span>
                    </span>
                    <Ago at={v.created_at} className="text-xs text-faint" />
                  </span>
                  <span className="text-xs text-muted">
                    <ActorText actor={v.published_by} />
                  </span>
                </To>
              </li>
            ))}
          </ul>
          <div className="px-4 py-4 sm:px-6">
            <Facts
              rows={[
                ["Id", <IdText key="id" id={form.id} link={false} />],
                ["Created", <Instant key="c" at={form.created_at} />],
                ["Revision", <span key="r" className="figures">{form.rev}</span>],
              ]}
            />
          </div>
        </aside>
      </div>
      {form.live_version != null && definition && (
        <Section title="Send an answer" lead="The same call the site makes.">
          <CodeBlock label="Example call" copy={exampleCall(form, definition)}>
            {exampleCall(form, definition)}
          </CodeBlock>
          <a href="/docs" target="_blank" rel="noreferrer" className="mt-2 inline-flex items-center gap-1.5 text-accent underline-offset-3 hover:underline">
            API reference <ExternalLink className="size-3.5" aria-hidden="true" />
          </a>
        </Section>
      )}
      {definition && (
        <Section title="Definition">
          <JsonView value={definition} />
        </Section>
      )}
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        title={`Delete “${form.name}”?`}
        verb="Delete form"
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() =>
          remove.mutate(form.id, {
            onSuccess: () => {
              toast("Form deleted");
              void navigate({ to: "/forms" });
            },
          })
        }
      >
        Pages that show it will find nothing, and nothing more can be sent to it. Submissions that came in stay readable.
      </Confirm>
    </>
  );
}

function exampleValue(definition: FormDefinition, field: FormField): unknown {
  if (field.type === "email") return "ada@example.com";
  if (field.type === "checkbox") return true;
  if (field.type === "choice") return field.choices?.[0]?.key ?? "";
  return textOf(definition, field.label) || field.key;
}

function exampleCall(form: Form, definition: FormDefinition): string {
  const values = Object.fromEntries(fieldsOf(definition).map((field) => [field.key, exampleValue(definition, field)]));
  return `curl ${location.origin}/v1/forms/${form.id}/submissions \\
  -H "Authorization: Bearer $PLINTH_PUBLISHABLE_KEY" \\
  -H "Content-Type: application/json" \\
  -d '${JSON.stringify({ values })}'`;
}

function DefinitionView({ definition }: { definition: FormDefinition }) {
  return (
    <div className="max-w-xl">
      {textOf(definition, definition.title) && <p className="text-lg font-semibold">{textOf(definition, definition.title)}</p>}
      {textOf(definition, definition.description) && <p className="mb-4 text-muted">{textOf(definition, definition.description)}</p>}
      <div className="mt-4 space-y-4">
        {fieldsOf(definition).map((field) => (
          <FieldPreview key={field.id} field={field} definition={definition} />
        ))}
      </div>
      <p className="mt-5 flex flex-wrap items-center gap-3">
        <span className="inline-flex h-8 items-center rounded-md border border-line-strong bg-sunken px-3 text-muted">{textOf(definition, definition.settings?.submit_label) || "Send"}</span>
        {textOf(definition, definition.settings?.thank_you) && <span className="text-xs text-faint">then: “{textOf(definition, definition.settings?.thank_you)}”</span>}
      </p>
    </div>
  );
}
