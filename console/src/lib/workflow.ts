/** Workflows in words, and as the text that is edited. */
import type { WorkflowAudience, WorkflowCondition, WorkflowStep, WorkflowTrigger } from "../api/models";

/** The part of a workflow that is edited as text. */
export interface WorkflowDefinition {
  trigger: WorkflowTrigger;
  steps: WorkflowStep[];
}

export function channelName(channel: string): string {
  return channel === "email" ? "E-mail" : channel === "in_app" ? "In-app" : channel;
}

/** Who gets it. A kind this console has not heard of is shown as it stands. */
export function audienceText(to: WorkflowAudience): string {
  if ("address" in to) return to.address;
  if (to.members === "all") return "all members";
  return to.members === "admins" ? "owners and admins" : JSON.stringify(to);
}

/** A place in the event's data as one reads it: `/values/email` is `values.email`. */
export function pathText(pointer: string): string {
  return pointer.slice(1).split("/").map((part) => part.replace(/~1/g, "/").replace(/~0/g, "~")).join(".");
}

export function conditionText(condition: WorkflowCondition): string {
  return `${pathText(condition.pointer)} is ${JSON.stringify(condition.equals)}`;
}

/** The steps in one line: `In-app to all members, e-mail to team@example.org`. */
export function stepsText(steps: WorkflowStep[]): string {
  const text = steps.map((step) => `${channelName(step.channel).toLowerCase()} to ${audienceText(step.to)}`).join(", ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A template cut into what stands as it is and what is filled in. */
export function templateParts(template: string): { text: string; filled: boolean }[] {
  return template
    .split(/(\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\})/s)
    .map((text, index) => ({ text, filled: index % 2 === 1 }))
    .filter(({ text }) => text !== "");
}

export function definitionText({ trigger, steps }: WorkflowDefinition): string {
  return JSON.stringify({ trigger, steps }, null, 2);
}

export type Parsed = { definition: WorkflowDefinition; fault?: undefined } | { definition?: undefined; fault: string };

/** Reads the edited text. Only its outline is checked here; what it may hold, the server knows. */
export function parseDefinition(text: string): Parsed {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { fault: `This is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { fault: "An object with “trigger” and “steps” is expected." };
  const { trigger, steps, ...rest } = value as Record<string, unknown>;
  const stranger = Object.keys(rest)[0];
  if (stranger !== undefined) return { fault: `“${stranger}” does not belong here, only “trigger” and “steps”.` };
  if (typeof trigger !== "object" || trigger === null || Array.isArray(trigger)) return { fault: "“trigger” is missing, or is no object." };
  if (!Array.isArray(steps)) return { fault: "“steps” is missing, or is no list." };
  return { definition: { trigger: trigger as WorkflowTrigger, steps: steps as WorkflowStep[] } };
}

/**
 * Where the value of a JSON pointer stands in a text that is valid JSON: its first and last offset. A pointer to what is missing leads
 * to the value it is missing from.
 */
export function placeOf(text: string, pointer: string): { from: number; to: number } {
  const wanted = pointer.split("/").slice(1).map((part) => part.replace(/~1/g, "/").replace(/~0/g, "~"));
  const token = /\s*("(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+)/gy;
  const next = () => {
    const match = token.exec(text);
    return match ? { word: match[1] as string, from: token.lastIndex - (match[1] as string).length } : { word: "", from: text.length };
  };
  let best = { depth: -1, from: 0, to: text.length };
  /** Walks one value that begins with `first`; `depth` is how much of the pointer led here, or -1 when it did not. */
  const walk = (first: { word: string; from: number }, depth: number) => {
    if (first.word === "{" || first.word === "[") {
      const list = first.word === "[";
      for (let index = 0, entry = next(); entry.word !== "}" && entry.word !== "]" && entry.word !== ""; entry = next()) {
        if (entry.word === ",") continue;
        const key = list ? String(index) : (JSON.parse(entry.word) as string);
        if (!list) next();
        walk(list ? entry : next(), depth >= 0 && wanted[depth] === key ? depth + 1 : -1);
        index += 1;
      }
    }
    const to = first.word === "{" || first.word === "[" ? token.lastIndex : first.from + first.word.length;
    if (depth > best.depth) best = { depth, from: first.from, to };
  };
  walk(next(), 0);
  return { from: best.from, to: best.to };
}

export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

export interface Template {
  id: string;
  name: string;
  hint: string;
  definition: WorkflowDefinition;
}

const team = { members: "all" } as const;

/** What a new workflow can start from. */
export const TEMPLATES: Template[] = [
  {
    id: "submission",
    name: "Tell everybody of a submission",
    hint: "One e-mail and one inbox message for each answer to the form “contact”.",
    definition: {
      trigger: { event: "forms.submission.completed", conditions: [{ pointer: "/form_key", equals: "contact" }] },
      steps: [
        { channel: "in_app", id: "tell_team", to: team, title: "New answer to {{ data.form_name }}", body: "{% for field in data.fields %}{{ field.label }}: {{ field.display }}\n{% endfor %}", url: "/console/submissions/{{ data.submission_id }}" },
        { channel: "email", id: "mail_team", to: team, subject: "New answer to {{ data.form_name }}", text: "{% for field in data.fields %}{{ field.label }}: {{ field.display }}\n{% endfor %}\nSubmission {{ data.submission_id }}\n" },
      ],
    },
  },
  {
    id: "answer",
    name: "Mail one address",
    hint: "One e-mail to an address of your choice for each answer to any form.",
    definition: {
      trigger: { event: "forms.submission.completed", conditions: [] },
      steps: [{ channel: "email", id: "mail_desk", to: { address: "desk@example.com" }, subject: "New answer to {{ data.form_name }}", text: "{% for field in data.fields %}{{ field.label }}: {{ field.display }}\n{% endfor %}" }],
    },
  },
  {
    id: "handover",
    name: "A visitor asks for a person",
    hint: "One inbox message when a conversation with the assistant is handed over.",
    definition: {
      trigger: { event: "assistant.handover.requested", conditions: [] },
      steps: [{ channel: "in_app", id: "tell_team", to: team, title: "A visitor asks for a person", body: "{{ data.message or data.question or 'No question yet.' }}", url: "/console/conversations/{{ data.conversation_id }}" }],
    },
  },
  {
    id: "joined",
    name: "A member joins",
    hint: "One inbox message for owners and admins when an invitation is accepted.",
    definition: {
      trigger: { event: "identity.member.joined", conditions: [] },
      steps: [{ channel: "in_app", id: "tell_admins", to: { members: "admins" }, title: "{{ data.name }} joined", body: "{{ data.email }} is now {{ data.role }}.", url: "/console/members" }],
    },
  },
  {
    id: "died",
    name: "A job is given up",
    hint: "One inbox message for owners and admins when a job becomes a dead letter.",
    definition: {
      trigger: { event: "flow.job.died", conditions: [] },
      steps: [{ channel: "in_app", id: "tell_admins", to: { members: "admins" }, title: "{{ data.kind }} was given up", body: "{{ data.error or 'No reason was recorded.' }}", url: "/console/jobs/{{ data.job_id }}" }],
    },
  },
];
