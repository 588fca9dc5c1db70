import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useBlocker, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import type { FieldError, Workflow } from "../api/models";
import { fieldError, ProblemError, toProblem } from "../api/problem";
import { useSaveWorkflow, workflowQuery } from "../api/workflows";
import { definitionText, lineOf, parseDefinition, placeOf } from "../lib/workflow";
import { Button } from "../ui/Button";
import { Detail } from "../ui/Detail";
import { CheckField, TextAreaField, TextField } from "../ui/Field";
import { PageHead } from "../ui/Page";
import { ProblemNotice } from "../ui/Problem";
import { toast } from "../ui/Toasts";

const route = getRouteApi("/app/workflows/$id/edit");

export function WorkflowEditor() {
  const { id } = route.useParams();
  const query = useQuery({ ...workflowQuery(id), refetchOnWindowFocus: false });
  return (
    <Detail query={query} parent={{ to: "/workflows", name: "Workflows" }}>
      {({ data, etag }) => <Editor key={data.id} stored={data} etag={etag} />}
    </Detail>
  );
}

const baseOf = (workflow: Workflow, etag: string | null) => ({ etag, name: workflow.name, enabled: workflow.enabled, text: definitionText(workflow) });

function Editor({ stored, etag }: { stored: Workflow; etag: string | null }) {
  // The state being edited: it follows what is stored until something is typed. From then on somebody else's change is refused at saving,
  // neither taken over unseen nor overwritten.
  const [base, setBase] = useState(() => baseOf(stored, etag));
  const [name, setName] = useState(base.name);
  const [enabled, setEnabled] = useState(base.enabled);
  const [text, setText] = useState(base.text);
  const [sent, setSent] = useState("");
  const [fault, setFault] = useState<string>();
  const area = useRef<HTMLTextAreaElement>(null);
  const save = useSaveWorkflow(stored.id);
  const navigate = useNavigate();
  const dirty = name !== base.name || enabled !== base.enabled || text !== base.text;
  useBlocker({ shouldBlockFn: () => dirty && !confirm("Leave without saving the workflow?"), enableBeforeUnload: dirty });

  useEffect(() => {
    if (dirty || etag === base.etag) return;
    const next = baseOf(stored, etag);
    setBase(next);
    setName(next.name);
    setEnabled(next.enabled);
    setText(next.text);
  }, [dirty, stored, etag, base]);

  const onSave = () => {
    const { definition, fault } = parseDefinition(text);
    setFault(fault);
    if (!definition) {
      save.reset();
      area.current?.focus();
      return;
    }
    setSent(text);
    save.mutate(
      { etag: base.etag, name, enabled, ...definition },
      {
        onSuccess: () => {
          toast("Workflow saved");
          void navigate({ to: "/workflows/$id", params: { id: stored.id }, ignoreBlocker: true });
        },
      },
    );
  };
  const select = (pointer: string) => {
    const { from, to } = placeOf(text, pointer);
    // In this order: taking the focus is what brings the selection into view.
    area.current?.setSelectionRange(from, to);
    area.current?.focus();
  };
  const errors = save.error instanceof ProblemError ? (save.error.problem.errors ?? []) : [];
  const inText = errors.filter((e) => e.pointer != null && /^\/(trigger|steps)(\/|$)/.test(e.pointer));
  return (
    <>
      <PageHead
        parent={{ to: `/workflows/${stored.id}`, name: stored.name }}
        title="Edit"
        plainTitle={`Edit ${stored.name}`}
        meta={<span>{dirty ? "Changes not saved" : "As it is stored"}</span>}
        actions={
          <Button size="sm" look="primary" onClick={onSave} busy={save.isPending} disabled={!dirty}>
            Save
          </Button>
        }
      />
      {save.isError && (
        <div className="px-4 pb-4 sm:px-6">
          <ProblemNotice error={save.error} shown={["/name", ...inText.map((e) => e.pointer ?? "")]} />
          {toProblem(save.error).status === 412 && (
            <p className="mt-2 text-muted">
              Somebody saved this workflow after you opened it, and what they saved was kept. Your changes are still on this page:{" "}
              <a href={location.href} target="_blank" rel="noreferrer" className="text-accent underline underline-offset-3">
                open theirs beside it
              </a>{" "}
              to compare.
            </p>
          )}
        </div>
      )}
      <div className="grid border-t border-line lg:grid-cols-[minmax(0,1fr)_24rem]">
        <div className="min-w-0 space-y-4 px-4 py-5 sm:px-6">
          <TextField label="Name" required maxLength={120} value={name} onChange={(e) => setName(e.target.value)} error={fieldError(save.error, "/name")} />
          <CheckField label="Enabled" help="Events start it." checked={enabled} onChange={(e) => setEnabled(e.target.checked)} />
          <TextAreaField
            ref={area}
            label="Trigger and steps"
            required
            rows={26}
            spellCheck={false}
            autoCapitalize="off"
            autoCorrect="off"
            value={text}
            onChange={(e) => {
              setText(e.target.value);
              setFault(undefined);
            }}
            error={fault ?? (inText.length > 0 ? "The server does not take it; what is wrong stands below." : undefined)}
            help="JSON. The steps run in this order."
            className="font-mono leading-[1.6] sm:text-xs"
          />
          {inText.length > 0 && <Faults errors={inText} text={text} moved={text !== sent} onSelect={select} />}
        </div>
        <aside className="border-t border-line bg-ground px-4 py-5 sm:px-6 lg:border-t-0 lg:border-l" aria-label="Reference">
          <Reference />
        </aside>
      </div>
    </>
  );
}

/** What the server refused, each leading to its place in the text while that text is the one that was sent. */
function Faults({ errors, text, moved, onSelect }: { errors: FieldError[]; text: string; moved: boolean; onSelect: (pointer: string) => void }) {
  const title = useId();
  return (
    <section role="alert" aria-labelledby={title} className="rounded-lg border border-bad/35 bg-bad-wash px-3 py-2.5">
      <h2 id={title} className="font-medium">
        To be settled before it can be saved
      </h2>
      <ul className="mt-1 space-y-1">
        {errors.map((error) => {
          const pointer = error.pointer ?? "";
          return (
            <li key={`${pointer}${error.code}${error.detail}`}>
              {moved ? (
                <span className="mono break-all">{pointer}</span>
              ) : (
                <button type="button" onClick={() => onSelect(pointer)} className="text-left underline underline-offset-3">
                  <span className="mono break-all">{pointer}</span> <span className="text-xs">line {lineOf(text, placeOf(text, pointer).from)}</span>
                </button>
              )}
              <span className="block text-muted">{error.detail}</span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

const WORDS: [name: string, meaning: ReactNode][] = [
  ["trigger.event", <>A type of event, such as <code className="mono break-all">forms.submission.completed</code>. Not one of <code className="mono">notify.</code></>],
  ["trigger.conditions", <>A <code className="mono">pointer</code> into the event’s data and what it <code className="mono">equals</code>. All must hold.</>],
  ["channel", <><code className="mono">email</code> with subject, text, and html if you like; <code className="mono">in_app</code> with title, body, and url if you like.</>],
  ["id", "Names the step, once in the workflow."],
  ["to", <><code className="mono break-all">{'{"members": "all"}'}</code>, <code className="mono">"admins"</code>, or for e-mail one <code className="mono">address</code>.</>],
];

const FILLED: [name: string, meaning: string][] = [
  ["{{ data.… }}", "The event’s own data."],
  ["{{ event.… }}", "Its id, kind, created_at and trace_id."],
  ["{% for x in … %}", "Repeats up to {% endfor %}."],
  ["{% if … %}", "Stays only where it holds, up to {% endif %}."],
];

function Reference() {
  return (
    <>
      <h2 className="font-semibold">What goes where</h2>
      <dl className="mt-2 space-y-2">
        {WORDS.map(([name, meaning]) => (
          <div key={name}>
            <dt className="mono">{name}</dt>
            <dd className="text-muted">{meaning}</dd>
          </div>
        ))}
      </dl>
      <h2 className="mt-6 font-semibold">What is filled in</h2>
      <dl className="mt-2 space-y-2">
        {FILLED.map(([name, meaning]) => (
          <div key={name}>
            <dt className="mono text-accent">{name}</dt>
            <dd className="text-muted">{meaning}</dd>
          </div>
        ))}
      </dl>
      <p className="mt-6 text-muted">Notifications that are already planned keep the words they were planned with.</p>
    </>
  );
}
