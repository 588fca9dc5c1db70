import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useBlocker, useNavigate } from "@tanstack/react-router";
import { ArrowDown, ArrowUp, Plus, Trash2 } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { formDraftQuery, formQuery, usePublishForm, useSaveDraft } from "../api/forms";
import type { FieldError, FieldKind, Form, FormDefinition, FormField } from "../api/models";
import { ProblemError, toProblem } from "../api/problem";
import { addField, changeField, choicesFromText, choicesToText, FIELD_KINDS, fieldsOf, keyFrom, moveField, placeOf, removeField, textOf, withText } from "../lib/definition";
import { plural } from "../lib/format";
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
  const parent = { to: "/forms", name: "Forms" };
  const form = useQuery(formQuery(id));
  const draft = useQuery({ ...formDraftQuery(id), refetchOnWindowFocus: false });
  return (
    <Detail query={form} parent={parent}>
      {(found) => (
        <Detail query={draft} parent={parent}>
          {({ data, etag }) => <Editor key={data.form_id} form={found} draft={data.definition} faults={data.faults} etag={etag ?? `"${data.rev}"`} />}
        </Detail>
      )}
    </Detail>
  );
}

function Editor({ form, draft: stored, faults: storedFaults, etag }: { form: Form; draft: FormDefinition; faults: FieldError[]; etag: string }) {
  // The tag of the state being edited: it moves on only when we save, so somebody else's change is refused, not overwritten.
  const [base, setBase] = useState({ etag, definition: stored });
  const [faults, setFaults] = useState(storedFaults);
  const [draft, setDraft] = useState(stored);
  const [selected, setSelected] = useState(0);
  const save = useSaveDraft(form.id);
  const publish = usePublishForm(form.id);
  const navigate = useNavigate();
  const dirty = JSON.stringify(draft) !== JSON.stringify(base.definition);
  useBlocker({ shouldBlockFn: () => dirty && !confirm("Leave without saving the draft?"), enableBeforeUnload: dirty });

  const keep = async () => {
    const saved = await save.mutateAsync({ definition: draft, etag: base.etag });
    setBase({ etag: saved.etag ?? `"${saved.data.rev}"`, definition: draft });
    setFaults(saved.data.faults);
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
  const fields = fieldsOf(draft);
  const field = fields[selected];
  const errors: FieldError[] = problem instanceof ProblemError && problem.problem.errors ? problem.problem.errors : dirty ? [] : faults;
  return (
    <>
      <PageHead
        parent={{ to: `/forms/${form.id}`, name: form.name }}
        title="Edit"
        plainTitle={`Edit ${form.name}`}
        meta={<span>{dirty ? "Changes not saved" : faults.length > 0 ? `Draft saved; ${plural(faults.length, "thing")} to settle before it can be published` : "Draft saved"}</span>}
        actions={
          <>
            <Button size="sm" onClick={onSave} busy={save.isPending} disabled={!dirty}>
              Save draft
            </Button>
            <Button size="sm" look="primary" onClick={onPublish} busy={publish.isPending} disabled={fields.length === 0}>
              Publish{form.live_version ? ` version ${form.live_version + 1}` : ""}
            </Button>
          </>
        }
      />
      {problem !== null && (
        <div className="px-4 pb-4 sm:px-6">
          <ProblemNotice error={problem} />
          {stale && (
            <p className="mt-2 text-muted">
              Somebody saved this form after you opened it, and what they saved was kept. Your changes are still on this page:{" "}
              <a href={location.href} target="_blank" rel="noreferrer" className="text-accent underline underline-offset-3">
                open theirs beside it
              </a>{" "}
              to compare.
            </p>
          )}
        </div>
      )}
      <div className="grid border-t border-line lg:grid-cols-[minmax(0,1fr)_24rem]">
        <div className="min-w-0">
          <FieldList draft={draft} selected={selected} onSelect={setSelected} onChange={setDraft} />
          <About draft={draft} onChange={setDraft} errors={errors} />
        </div>
        <aside className="border-t border-line bg-ground lg:border-t-0 lg:border-l" aria-label="Field">
          <div className="sticky top-0 px-4 py-5 max-md:static sm:px-6">
            {field ? (
              <FieldForm
                key={field.id}
                definition={draft}
                field={field}
                index={selected}
                taken={fields.filter((_, i) => i !== selected).map((f) => f.key)}
                errors={errors}
                published={form.live_version != null && fieldsOf(stored).some((known) => known.id === field.id)}
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
  const fields = fieldsOf(draft);
  const move = (index: number, by: 1 | -1) => {
    const next = moveField(draft, index, by);
    if (next === draft) return;
    onChange(next);
    onSelect(index + by);
    focusNext.current = index + by;
  };
  const add = (kind: FieldKind) => {
    onChange(addField(draft, kind));
    onSelect(fields.length);
    focusNext.current = fields.length;
  };
  return (
    <>
      <ol ref={list} className="rows border-b border-line" aria-label="Fields">
        {fields.map((field, index) => {
          const label = textOf(draft, field.label) || field.key;
          return (
          <li key={field.id} className={cx("relative flex items-center gap-2 pr-3 pl-4 transition-colors sm:pl-6", index === selected ? "bg-hover shadow-[inset_2px_0_0_var(--accent)]" : "hover:bg-hover")}>
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
                <span className="truncate font-medium">{label}</span>
                {field.required && <Tag>required</Tag>}
              </span>
              <span className="block truncate text-xs text-muted">{[FIELD_KINDS.find((k) => k.kind === field.type)?.name ?? field.type, ...rulesOf(field)].join(" · ")}</span>
            </button>
            <IconButton name={`Move ${label} up`} disabled={index === 0} onClick={() => move(index, -1)}>
              <ArrowUp className="size-3.5" />
            </IconButton>
            <IconButton name={`Move ${label} down`} disabled={index === fields.length - 1} onClick={() => move(index, 1)}>
              <ArrowDown className="size-3.5" />
            </IconButton>
            <IconButton
              name={`Remove ${label}`}
              onClick={() => {
                onChange(removeField(draft, index));
                onSelect(Math.max(0, Math.min(selected, fields.length - 2)));
              }}
            >
              <Trash2 className="size-3.5" />
            </IconButton>
          </li>
          );
        })}
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

/** The message at a place of the definition, wherever the definition stands in the body. */
function messageAt(errors: FieldError[], place: string): string | undefined {
  return errors.find((e) => e.pointer === `/definition${place}` || e.pointer?.startsWith(`/definition${place}/`))?.detail;
}

function About({ draft, onChange, errors }: { draft: FormDefinition; onChange: (next: FormDefinition) => void; errors: FieldError[] }) {
  const { settings } = draft;
  return (
    <div className="grid gap-4 border-t border-line px-4 py-5 sm:grid-cols-2 sm:px-6">
      <TextField label="Title" value={textOf(draft, draft.title)} onChange={(e) => onChange({ ...draft, title: withText(draft, draft.title, e.target.value) })} error={messageAt(errors, "/title")} />
      <TextField
        label="Button"
        optional
        value={textOf(draft, settings?.submit_label)}
        placeholder="Send"
        onChange={(e) => onChange({ ...draft, settings: { ...settings, submit_label: withText(draft, settings?.submit_label, e.target.value) } })}
        error={messageAt(errors, "/settings/submit_label")}
      />
      <TextAreaField label="Introduction" optional value={textOf(draft, draft.description)} onChange={(e) => onChange({ ...draft, description: withText(draft, draft.description, e.target.value) })} error={messageAt(errors, "/description")} />
      <TextAreaField
        label="Afterwards"
        optional
        value={textOf(draft, settings?.thank_you)}
        placeholder="Thank you."
        onChange={(e) => onChange({ ...draft, settings: { ...settings, thank_you: withText(draft, settings?.thank_you, e.target.value) } })}
        error={messageAt(errors, "/settings/thank_you")}
      />
    </div>
  );
}

function number(text: string): number | null {
  return text === "" ? null : Math.max(0, Math.trunc(Number(text)));
}

interface FieldFormProps {
  definition: FormDefinition;
  field: FormField;
  index: number;
  taken: string[];
  errors: FieldError[];
  published: boolean;
  onChange: (change: Partial<FormField>) => void;
}

function FieldForm({ definition, field, index, taken, errors, published, onChange }: FieldFormProps) {
  const [choices, setChoices] = useState(choicesToText(definition, field.choices));
  const [firstChoices] = useState(field.choices ?? []);
  const label = textOf(definition, field.label);
  // A key nobody has chosen follows the label; one that is published is in other people's programs and is left alone.
  const [followsLabel, setFollowsLabel] = useState(!published && field.key === keyFrom(label, taken));
  const place = placeOf(definition, index);
  const at = (name: string) => (place ? messageAt(errors, `/pages/${place.page}/items/${place.item}/${name}`) : undefined);
  const textual = field.type === "text" || field.type === "long_text";
  return (
    <div className="space-y-4">
      <h2 className="font-semibold">Field {index + 1}</h2>
      <TextField
        label="Label"
        required
        value={label}
        onChange={(e) => onChange({ label: withText(definition, field.label, e.target.value), ...(followsLabel ? { key: keyFrom(e.target.value, taken) } : {}) })}
        error={at("label")}
      />
      <SelectField
        label="Kind"
        value={field.type}
        onChange={(e) => {
          const type = e.target.value as FieldKind;
          const first = type === "choice" && !field.choices ? choicesFromText(definition, "First\nSecond", []) : field.choices;
          setChoices(choicesToText(definition, first));
          onChange({ type, choices: first });
        }}
        error={at("type")}
      >
        {FIELD_KINDS.map(({ kind, name, hint }) => (
          <option key={kind} value={kind}>
            {name} ({hint.toLowerCase()})
          </option>
        ))}
      </SelectField>
      <CheckField label="Required" checked={field.required ?? false} onChange={(e) => onChange({ required: e.target.checked })} />
      {field.type === "choice" && (
        <TextAreaField
          label="Choices"
          required
          rows={5}
          value={choices}
          onChange={(e) => {
            setChoices(e.target.value);
            onChange({ choices: choicesFromText(definition, e.target.value, firstChoices) });
          }}
          help="One a line. “key | Label” keeps the stored value when the label changes."
          error={at("choices")}
        />
      )}
      {textual && (
        <div className="grid grid-cols-2 gap-3">
          <TextField label="Shortest" optional type="number" min={0} value={field.min_length ?? ""} onChange={(e) => onChange({ min_length: number(e.target.value) })} error={at("min_length")} />
          <TextField label="Longest" optional type="number" min={1} value={field.max_length ?? ""} onChange={(e) => onChange({ max_length: number(e.target.value) })} error={at("max_length")} />
        </div>
      )}
      {field.type === "text" && (
        <TextField
          label="Pattern"
          optional
          value={field.pattern ?? ""}
          onChange={(e) => onChange({ pattern: e.target.value || null })}
          error={at("pattern")}
          help="A regular expression that the whole answer has to match."
          className="font-mono"
          spellCheck={false}
          placeholder="[A-Z]{2}[0-9]{4}"
        />
      )}
      <TextField label="Help" optional value={textOf(definition, field.help)} onChange={(e) => onChange({ help: withText(definition, field.help, e.target.value) })} error={at("help")} />
      <TextField
        label="Key"
        required
        value={field.key}
        onChange={(e) => {
          setFollowsLabel(false);
          onChange({ key: e.target.value });
        }}
        error={at("key") ?? (taken.includes(field.key) ? "Another field has this key." : undefined)}
        help="The name of the answer in the API and in exports."
        className="font-mono"
        spellCheck={false}
      />
    </div>
  );
}
