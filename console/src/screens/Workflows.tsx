import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { AtSign, Inbox, Pencil, Plus, Trash2, Zap, type LucideIcon } from "lucide-react";
import { type ReactNode, useState } from "react";
import type { Workflow, WorkflowStep } from "../api/models";
import { fieldError, toProblem } from "../api/problem";
import { useCreateWorkflow, useDeleteWorkflow, useSwitchWorkflow, workflowQuery, workflowsQuery } from "../api/workflows";
import { plural } from "../lib/format";
import { audienceText, channelName, pathText, stepsText, TEMPLATES, templateParts } from "../lib/workflow";
import { Button, buttonClass, IconButton } from "../ui/Button";
import { CodeBlock } from "../ui/Code";
import { cx } from "../ui/cx";
import { Detail } from "../ui/Detail";
import { Confirm, Dialog, DialogActions } from "../ui/Dialog";
import { Switch, TextField } from "../ui/Field";
import { Empty, PageHead } from "../ui/Page";
import { ProblemNotice } from "../ui/Problem";
import { type Column, ResourceList } from "../ui/ResourceList";
import { State } from "../ui/State";
import { Ago, Facts, IdText, Instant } from "../ui/Text";
import { To } from "../ui/To";
import { toast } from "../ui/Toasts";

const parent = { to: "/workflows", name: "Workflows" };
const routeOfList = getRouteApi("/app/workflows");
const routeOfOne = getRouteApi("/app/workflows/$id");

export function Workflows() {
  const { new: creating } = routeOfList.useSearch();
  const navigate = useNavigate();
  const query = useInfiniteQuery(workflowsQuery());
  const open = (yes: boolean) => void navigate({ to: "/workflows", search: yes ? { new: true } : {}, replace: true });
  const columns: Column<Workflow>[] = [
    { key: "name", head: "Workflow", cell: (row) => <span className={cx("block truncate font-medium", !row.enabled && "text-muted")}>{row.name}</span>, className: "max-w-0 w-[30%] max-md:w-auto" },
    { key: "event", head: "Starts on", cell: (row) => <span className="mono block truncate text-muted">{row.trigger.event}</span>, from: "md", className: "max-w-0 w-[26%]" },
    { key: "steps", head: "Steps", cell: (row) => <span className="block truncate text-muted" title={stepsText(row.steps)}>{stepsText(row.steps)}</span>, from: "lg", className: "max-w-0" },
    { key: "on", head: "Enabled", cell: (row) => <EnabledSwitch workflow={row} />, className: "w-20", align: "right" },
    { key: "at", head: "Changed", cell: (row) => <Ago at={row.updated_at} className="text-muted" />, from: "sm", align: "right", className: "w-24" },
  ];
  const create = (place: "head" | "empty") => (
    <Button look="primary" {...(place === "head" ? { "data-create": "" } : {})} onClick={() => open(true)} icon={<Plus className="size-3.5" />}>
      New workflow
    </Button>
  );
  return (
    <>
      <PageHead title="Workflows" lead="On which event, whom to tell, and in which words." actions={create("head")} />
      <ResourceList
        label="Workflows"
        query={query}
        columns={columns}
        to={(row) => `/workflows/${row.id}`}
        under={(row) => (
          <>
            <span className="mono block truncate">{row.trigger.event}</span>
            <span className="block truncate">{stepsText(row.steps)}</span>
          </>
        )}
        empty={
          <Empty title="No workflows" action={create("empty")}>
            Nothing that happens tells anybody yet. Start from a template and change its words.
          </Empty>
        }
      />
      {creating && <NewWorkflow onClose={() => open(false)} />}
    </>
  );
}

function EnabledSwitch({ workflow }: { workflow: Workflow }) {
  const change = useSwitchWorkflow();
  return (
    <Switch
      name={`${workflow.name} enabled`}
      on={change.isPending ? change.variables.enabled : workflow.enabled}
      busy={change.isPending}
      onSwitch={(enabled) =>
        change.mutate(
          { id: workflow.id, enabled },
          {
            onSuccess: () => toast(`${workflow.name} is ${enabled ? "on" : "off"}`),
            onError: (error) => toast(toProblem(error).detail ?? toProblem(error).title, "bad"),
          },
        )
      }
    />
  );
}

function NewWorkflow({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState(TEMPLATES[0]);
  const create = useCreateWorkflow();
  const navigate = useNavigate();
  return (
    <Dialog open onClose={onClose} title="New workflow" description="It begins switched off, so that you can change its words before anything starts it.">
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (!chosen) return;
          create.mutate({ name: name.trim() || chosen.name, enabled: false, ...chosen.definition }, { onSuccess: (made) => void navigate({ to: "/workflows/$id/edit", params: { id: made.id } }) });
        }}
      >
        <TextField label="Name" optional autoFocus maxLength={120} value={name} placeholder={chosen?.name} onChange={(e) => setName(e.target.value)} error={fieldError(create.error, "/name")} />
        <fieldset>
          <legend className="mb-1 font-medium">Start from</legend>
          <div className="rows rounded-md border border-line">
            {TEMPLATES.map((template) => (
              <label key={template.id} className="flex items-start gap-2.5 px-3 py-2 hover:bg-hover has-checked:bg-hover">
                <input type="radio" name="template" className="mt-1 size-3.5 shrink-0 accent-accent" checked={template === chosen} onChange={() => setChosen(template)} />
                <span className="min-w-0">
                  <span className="block font-medium">{template.name}</span>
                  <span className="block text-xs text-muted">{template.hint}</span>
                </span>
              </label>
            ))}
          </div>
        </fieldset>
        {create.isError && <ProblemNotice error={create.error} shown={["/name"]} />}
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

export function WorkflowScreen() {
  const { id } = routeOfOne.useParams();
  return (
    <Detail query={useQuery(workflowQuery(id))} parent={parent}>
      {({ data }) => <WorkflowDetail workflow={data} />}
    </Detail>
  );
}

function WorkflowDetail({ workflow }: { workflow: Workflow }) {
  const [asking, setAsking] = useState(false);
  const remove = useDeleteWorkflow();
  const navigate = useNavigate();
  return (
    <>
      <PageHead
        parent={parent}
        title={workflow.name}
        meta={
          <>
            <State state={workflow.enabled ? "active" : "cancelled"} label={workflow.enabled ? "Enabled" : "Disabled"} />
            {workflow.external_id && <span className="mono">{workflow.external_id}</span>}
            <To to="/notifications" className="text-accent underline-offset-3 hover:underline">
              Notifications
            </To>
          </>
        }
        actions={
          <>
            <EnabledSwitch workflow={workflow} />
            <To to={`/workflows/${workflow.id}/edit`} className={buttonClass("primary", "sm")}>
              <Pencil className="size-3.5" aria-hidden="true" /> Edit
            </To>
            <IconButton name="Delete workflow" onClick={() => setAsking(true)}>
              <Trash2 className="size-4" />
            </IconButton>
          </>
        }
      />
      <div className="grid border-t border-line lg:grid-cols-[minmax(0,1fr)_26rem]">
        <div className="min-w-0 px-4 py-5 sm:px-6">
          <TriggerView workflow={workflow} />
          <h2 className="mt-6 mb-2 font-semibold">Then {plural(workflow.steps.length, "step")}</h2>
          <ol className="max-w-3xl space-y-3">
            {workflow.steps.map((step) => (
              <StepView key={step.id} step={step} />
            ))}
          </ol>
        </div>
        <aside className="border-t border-line px-4 py-4 sm:px-6 lg:border-t-0 lg:border-l" aria-label="Facts">
          <Facts
            rows={[
              ["Id", <IdText key="i" id={workflow.id} link={false} />],
              ["Key", workflow.external_id ? <span key="k" className="mono break-all">{workflow.external_id}</span> : "—"],
              ["Created", <Instant key="c" at={workflow.created_at} />],
              ["Changed", <Instant key="u" at={workflow.updated_at} />],
              ["Revision", <span key="r" className="figures">{workflow.rev}</span>],
            ]}
          />
        </aside>
      </div>
      <Confirm
        open={asking}
        onClose={() => {
          setAsking(false);
          remove.reset();
        }}
        title={`Delete “${workflow.name}”?`}
        verb="Delete workflow"
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() =>
          remove.mutate(workflow.id, {
            onSuccess: () => {
              toast("Workflow deleted");
              void navigate({ to: "/workflows" });
            },
          })
        }
      >
        Events no longer start it. Notifications it already planned are still delivered.
      </Confirm>
    </>
  );
}

function TriggerView({ workflow: { trigger } }: { workflow: Workflow }) {
  const conditions = trigger.conditions ?? [];
  return (
    <section aria-labelledby="trigger">
      <h2 id="trigger" className="mb-2 font-semibold">
        When
      </h2>
      <div className="max-w-3xl rounded-lg border border-line">
        <p className="flex min-w-0 items-center gap-2 px-3 py-2">
          <Zap className="size-3.5 shrink-0 text-muted" aria-hidden="true" />
          <To to="/events" search={{ type: trigger.event }} className="mono min-w-0 break-all text-accent underline-offset-3 hover:underline">
            {trigger.event}
          </To>
        </p>
        {conditions.length === 0 ? (
          <p className="border-t border-line px-3 py-2 text-muted">Every such event, whatever its data.</p>
        ) : (
          <ul className="border-t border-line px-3 py-2" aria-label="Conditions, all of which must hold">
            {conditions.map((condition, index) => (
              <li key={index} className="break-words">
                <span className="inline-block w-9 text-muted">{index === 0 ? "if" : "and"}</span>
                <span className="mono">{pathText(condition.pointer)}</span> <span className="text-muted">is</span> <span className="mono break-all text-good">{JSON.stringify(condition.equals)}</span>
              </li>
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}

const ICONS: Record<string, LucideIcon> = { email: AtSign, in_app: Inbox };

function StepView({ step }: { step: WorkflowStep }) {
  const Icon = ICONS[step.channel] ?? Zap;
  return (
    <li className="rounded-lg border border-line">
      <div className="flex flex-wrap items-center gap-x-2 border-b border-line px-3 py-2">
        <Icon className="size-3.5 shrink-0 text-muted" aria-hidden="true" />
        <h3 className="font-medium">{channelName(step.channel)}</h3>
        <span className="min-w-0 break-words text-muted">to {audienceText(step.to)}</span>
        <span className="mono ml-auto text-xs text-faint">{step.id}</span>
      </div>
      <div className="space-y-2.5 px-3 py-2.5">
        {step.channel === "email" ? (
          <>
            <Line name="Subject" template={step.subject} strong />
            <Block name="Text" template={step.text} step={step.id} />
            {step.html && (
              <details>
                <summary className="cursor-pointer text-xs text-muted">HTML part</summary>
                <Block template={step.html} name="HTML part" step={step.id} quiet />
              </details>
            )}
          </>
        ) : (
          <>
            <Line name="Title" template={step.title} strong />
            <Block name="Body" template={step.body} step={step.id} />
            {step.url && <Line name="Leads to" template={step.url} />}
          </>
        )}
      </div>
    </li>
  );
}

/** A template as it is written, what is filled in told apart from what stands as it is. */
function Filled({ template }: { template: string }): ReactNode {
  return templateParts(template).map(({ text, filled }, index) =>
    filled ? (
      <span key={index} className="text-accent">
        {text}
      </span>
    ) : (
      text
    ),
  );
}

function Line({ name, template, strong = false }: { name: string; template: string; strong?: boolean }) {
  return (
    <p className="break-words">
      <span className="block text-xs text-muted">{name}</span>
      <span className={cx(strong ? "font-medium" : "mono break-all")}>
        <Filled template={template} />
      </span>
    </p>
  );
}

function Block({ name, template, step, quiet = false }: { name: string; template: string; step: string; quiet?: boolean }) {
  return (
    <div>
      {!quiet && <p className="mb-1 text-xs text-muted">{name}</p>}
      <CodeBlock label={`${name} of ${step}`} copy={template} wrap className={quiet ? "mt-1.5" : undefined}>
        <Filled template={template} />
      </CodeBlock>
    </div>
  );
}
