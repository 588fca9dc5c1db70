import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useBlocker, useNavigate } from "@tanstack/react-router";
import { ArrowDown, ArrowUp, Plus, Trash2 } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { formQuery, usePublishForm, useSaveDraft } from "../api/forms";
import type { FieldKind, Form, FormDefinition, FormField } from "../api/models";
import { fieldError, toProblem } from "../api/problem";
import { addField, changeField, FIELD_KINDS, keyFrom, moveField, optionsFromText, optionsToText, removeField } from "../lib/definition";
import { Button, IconButton } from "../ui/Button";
import { cx } from "../ui/cx";
import { Detail } from "../ui/Detail";
import { CheckField, SelectField, TextAreaField, TextField } from "../ui/Field";
import { rulesOf } from "../ui/FieldPreview";
import { PageHead } from "../ui/Page";
import { ProblemNotice } from "../ui/Problem";
import { Tag } from "../ui/State";
import { toast } from "../ui/Toasts";

const route = getRouteApi("/app/forms/$id/edit");

export function FormEditor() {
  const { id } = route.useParams();
  const query = useQuery({ ...formQuery(id), refetchOnWindowFocus: false });
  return (
    <Detail query={query} parent={{ to: "/forms", name: "Forms" }}>
      {({ data, etag }) => <Editor key={data.id} form={data} etag={etag ?? `"${data.rev}"`} reload={() => void query.refetch()} />}
    </Detail>
  );
}

function Editor({ form, etag, reload }: { form: Form; etag: string; reload: () => void }) {
  // The tag of the state being edited: it moves on only when we save, so somebody else's change is refused, not overwritten.
  const [base, setBase] = useState({ etag, definition: form.draft });
  const [draft, setDraft] = useState(form.draft);
  const [selected, setSelected] = useState(0);
  const save = useSaveDraft(form.id);
  const publish = usePublishForm(form.id);
  const navigate = useNavigate();
  const dirty = JSON.stringify(draft) !== JSON.stringify(base.definition);
  useBlocker({ shouldBlockFn: () => dirty && !confirm("Leave without saving the draft?"), enableBeforeUnload: dirty });

  const keep = async () => {
    const saved = await save.mutateAsync({ definition: draft, etag: base.etag });
    setBase({ etag: saved.etag ?? `"${saved.data.rev}"`, definition: draft });
    return saved.etag ?? `"${saved.data.rev}"`;
  };
  const onSave = () => void keep().then(() => toast("Draft saved"), () => undefined);
  const onPublish = () =>
    void (dirty ? keep() : Promise.resolve(base.etag))
      .then((tag) => publish.mutateAsync({ etag: tag }))
      .then((version) => {
        toast(`Version ${version.number} is published`);
        void navigate({ to: "/forms/$id", params: { id: form.id }, ignoreBlocker: true });
      })
      .catch(() => undefined);

  const problem = save.error ?? publish.error;
  const stale = problem !== null && toProblem(problem).status === 412;
  const field = draft.fields[selected];
  return (
    <>
      <PageHead
        parent={{ to: `/forms/${form.id}`, name: form.title }}
        title="Edit"
        plainTitle={`Edit ${form.title}`}
        meta={<span>{dirty ? "Changes not saved" : "Draft saved"}</span>}
        actions={
          <>
            <Button size="sm" onClick={onSave} busy={save.isPending} disabled={!dirty}>
              Save draft
            </Button>
            <Button size="sm" look="primary" onClick={onPublish} busy={publish.isPending} disabled={draft.fields.length === 0}>
              Publish{form.published_version ? ` version ${form.published_version + 1}` : ""}
            </Button>
          </>
        }
      />
      {problem !== null && (
        <div className="px-4 pb-4 sm:px-6">
          <ProblemNotice
            error={problem}
            {...(stale
              ? {
                  onRetry: () => {
                    save.reset();
                    publish.reset();
                    reload();
                  },
                }
              : {})}
          />
          {stale && <p className="mt-2 text-muted">Somebody saved this form after you opened it. Your changes are still here: reload the form in another tab to compare.</p>}
        </div>
      )}
      <div className="grid border-t border-line lg:grid-cols-[minmax(0,1fr)_24rem]">
        <div className="min-w-0">
          <FieldList draft={draft} selected={selected} onSelect={setSelected} onChange={setDraft} />
          <About draft={draft} onChange={setDraft} error={problem} />
        </div>
        <aside className="border-t border-line bg-ground lg:border-t-0 lg:border-l" aria-label="Field">
          <div className="sticky top-0 px-4 py-5 max-md:static sm:px-6">
            {field ? (
              <FieldForm
                key={selected}
                field={field}
                index={selected}
                taken={draft.fields.filter((_, i) => i !== selected).map((f) => f.key)}
                error={problem}
                published={form.published_version !== null}
                onChange={(change) => setDraft((before) => changeField(before, selected, change))}
              />
            ) : (
              <p className="text-muted">Choose a field to change it, or add one.</p>
            )}
          </div>
        </aside>
      </div>
    </>
  );
}

function FieldList({ draft, selected, onSelect, onChange }: { draft: FormDefinition; selected: number; onSelect: (index: number) => void; onChange: (next: FormDefinition) => void }) {
  const list = useRef<HTMLOListElement>(null);
  const focusNext = useRef<number | null>(null);
  useEffect(() => {
    if (focusNext.current === null) return;
    list.current?.querySelectorAll<HTMLElement>("[data-field]")[focusNext.current]?.focus();
    focusNext.current = null;
  });
  const move = (index: number, by: number) => {
    const next = moveField(draft, index, by);
    if (next === draft) return;
    onChange(next);
    onSelect(index + by);
    focusNext.current = index + by;
  };
  const add = (kind: FieldKind) => {
    onChange(addField(draft, kind));
    onSelect(draft.fields.length);
    focusNext.current = draft.fields.length;
  };
  return (
    <>
      <ol ref={list} className="rows border-b border-line" aria-label="Fields">
        {draft.fields.map((field, index) => (
          <li key={index} className={cx("relative flex items-center gap-2 pr-3 pl-4 transition-colors sm:pl-6", index === selected ? "bg-hover shadow-[inset_2px_0_0_var(--accent)]" : "hover:bg-hover")}>
            <span className="w-5 shrink-0 text-xs text-faint figures">{index + 1}</span>
            <button
              type="button"
              data-field=""
              aria-current={index === selected}
              onClick={() => onSelect(index)}
              onKeyDown={(event) => {
                if (!event.altKey) return;
                if (event.key === "ArrowUp" || event.key === "ArrowDown") {
                  event.preventDefault();
                  move(index, event.key === "ArrowUp" ? -1 : 1);
                }
              }}
              className="min-w-0 flex-1 py-2 text-left"
            >
              <span className="flex flex-wrap items-baseline gap-x-2">
                <span className="truncate font-medium">{field.label || <span className="text-faint">No label</span>}</span>
                {field.required && <Tag>required</Tag>}
              </span>
              <span className="block truncate text-xs text-muted">{[FIELD_KINDS.find((k) => k.kind === field.kind)?.name ?? field.kind, ...rulesOf(field)].join(" · ")}</span>
            </button>
            <IconButton name={`Move ${field.label} up`} disabled={index === 0} onClick={() => move(index, -1)}>
              <ArrowUp className="size-3.5" />
            </IconButton>
            <IconButton name={`Move ${field.label} down`} disabled={index === draft.fields.length - 1} onClick={() => move(index, 1)}>
              <ArrowDown className="size-3.5" />
            </IconButton>
            <IconButton
              name={`Remove ${field.label}`}
              onClick={() => {
                onChange(removeField(draft, index));
                onSelect(Math.max(0, Math.min(selected, draft.fields.length - 2)));
              }}
            >
              <Trash2 className="size-3.5" />
            </IconButton>
          </li>
        ))}
      </ol>
      <div className="flex flex-wrap items-center gap-2 px-4 py-3 sm:px-6">
        <span className="mr-1 text-muted">Add</span>
        {FIELD_KINDS.map(({ kind, name, hint }) => (
          <Button key={kind} size="sm" title={hint} onClick={() => add(kind)} icon={<Plus className="size-3 text-faint" />}>
            {name}
          </Button>
        ))}
        <span className="ml-auto text-xs text-faint max-md:hidden">Alt ↑ ↓ moves the chosen field</span>
      </div>
    </>
  );
}

function About({ draft, onChange, error }: { draft: FormDefinition; onChange: (next: FormDefinition) => void; error: unknown }) {
  return (
    <div className="grid gap-4 border-t border-line px-4 py-5 sm:grid-cols-2 sm:px-6">
      <TextField label="Title" required value={draft.title} onChange={(e) => onChange({ ...draft, title: e.target.value })} error={fieldError(error, "/title")} />
      <TextField label="Button" optional value={draft.submit_label ?? ""} placeholder="Send" onChange={(e) => onChange({ ...draft, submit_label: e.target.value })} error={fieldError(error, "/submit_label")} />
      <TextAreaField label="Introduction" optional value={draft.description ?? ""} onChange={(e) => onChange({ ...draft, description: e.target.value })} error={fieldError(error, "/description")} />
      <TextAreaField label="Afterwards" optional value={draft.thank_you ?? ""} placeholder="Thank you." onChange={(e) => onChange({ ...draft, thank_you: e.target.value })} error={fieldError(error, "/thank_you")} />
    </div>
  );
}

function number(text: string): number | null {
  return text === "" ? null : Math.max(0, Math.trunc(Number(text)));
}

function FieldForm({ field, index, taken, error, published, onChange }: { field: FormField; index: number; taken: string[]; error: unknown; published: boolean; onChange: (change: Partial<FormField>) => void }) {
  const [options, setOptions] = useState(optionsToText(field.options));
  // A key nobody has chosen follows the label; one that is published names stored answers and is left alone.
  const [followsLabel, setFollowsLabel] = useState(!published && field.key === keyFrom(field.label, taken));
  const at = (name: string) => fieldError(error, `/fields/${index}/${name}`);
  const textual = field.kind === "text" || field.kind === "long_text";
  return (
    <div className="space-y-4">
      <h2 className="font-medium">Field {index + 1}</h2>
      <TextField
        label="Label"
        required
        value={field.label}
        onChange={(e) => onChange({ label: e.target.value, ...(followsLabel ? { key: keyFrom(e.target.value, taken) } : {}) })}
        error={at("label")}
      />
      <SelectField label="Kind" value={field.kind} onChange={(e) => onChange({ kind: e.target.value as FieldKind, pattern: null, min_length: null, max_length: null, ...(e.target.value === "choice" ? { options: field.options ?? [{ value: "first", label: "First" }] } : { options: undefined }) })} error={at("kind")}>
        {FIELD_KINDS.map(({ kind, name, hint }) => (
          <option key={kind} value={kind}>
            {name} ({hint.toLowerCase()})
          </option>
        ))}
      </SelectField>
      <CheckField label="Required" checked={field.required ?? false} onChange={(e) => onChange({ required: e.target.checked })} />
      {field.kind === "choice" && (
        <TextAreaField
          label="Choices"
          required
          rows={5}
          value={options}
          onChange={(e) => {
            setOptions(e.target.value);
            onChange({ options: optionsFromText(e.target.value) });
          }}
          help="One a line. “value | Label” keeps the stored value when the label changes."
          error={at("options")}
        />
      )}
      {textual && (
        <div className="grid grid-cols-2 gap-3">
          <TextField label="Shortest" optional type="number" min={0} value={field.min_length ?? ""} onChange={(e) => onChange({ min_length: number(e.target.value) })} error={at("min_length")} />
          <TextField label="Longest" optional type="number" min={1} value={field.max_length ?? ""} onChange={(e) => onChange({ max_length: number(e.target.value) })} error={at("max_length")} />
        </div>
      )}
      {field.kind === "text" && (
        <TextField label="Pattern" optional value={field.pattern ?? ""} onChange={(e) => onChange({ pattern: e.target.value || null })} error={at("pattern")} help="A regular expression that the whole answer has to match." className="font-mono" spellCheck={false} placeholder="[A-Z]{2}[0-9]{4}" />
      )}
      <TextField label="Help" optional value={field.help ?? ""} onChange={(e) => onChange({ help: e.target.value })} error={at("help")} />
      <TextField
        label="Key"
        required
        value={field.key}
        onChange={(e) => {
          setFollowsLabel(false);
          onChange({ key: e.target.value });
        }}
        error={at("key") ?? (taken.includes(field.key) ? "Another field has this key." : undefined)}
        help="The name under which answers are stored."
        className="font-mono"
        spellCheck={false}
      />
    </div>
  );
}
