import type { EventRecord } from "./models";

/** Which resources a publication makes stale: first words of event types, and the other things the operations channel tells of. */
const BY_EVENT: [prefix: string, resources: string[]][] = [
  ["forms.submission.", ["submissions"]],
  ["forms.", ["forms"]],
  ["notify.inbox", ["inbox"]],
  ["notify.workflow", ["workflows"]],
  ["notify.", ["notifications", "mails"]],
  ["assistant.", ["conversations"]],
  ["identity.key", ["keys", "audit"]],
  ["identity.", ["members", "invites", "audit", "keys"]],
];

const BY_MESSAGE: Record<string, string[]> = {
  job: ["jobs"],
  request: ["requests"],
  submission: ["submissions"],
  notification: ["notifications", "mails"],
  inbox: ["inbox"],
  conversation: ["conversations"],
};

/** An event as the operations channel tells it: what the list has, without its place in the log. */
export interface PushedEvent {
  id?: string;
  kind?: string;
  type?: string;
  subject?: string;
  actor?: string;
  trace_id?: string;
  created_at?: string;
  data?: Record<string, unknown>;
}

export interface LiveMessage {
  type?: string;
  event?: PushedEvent;
}

/** A row of the tail. */
export type TailEvent = Pick<EventRecord, "id" | "type" | "subject" | "actor" | "trace_id" | "created_at"> & Partial<Pick<EventRecord, "partition" | "sequence">>;

const eventType = (event: PushedEvent) => event.type ?? event.kind;

/** The event in a message, if there is one and it is whole. */
export function pushedEvent({ event }: LiveMessage): TailEvent | null {
  const type = event && eventType(event);
  if (!event?.id || !type || !event.created_at) return null;
  return { id: event.id, type, subject: event.subject ?? "", actor: event.actor ?? "", trace_id: event.trace_id ?? "", created_at: event.created_at };
}

export function keysTouchedBy(channel: string, message: LiveMessage): string[] {
  if (channel.startsWith("inbox:")) return ["inbox"];
  const touched = new Set<string>();
  const happened = message.event && eventType(message.event);
  if (happened !== undefined) {
    // Nothing announces a job of its own; what happens is what makes and ends them.
    touched.add("traces").add("jobs");
    for (const resource of BY_EVENT.find(([prefix]) => happened.startsWith(prefix))?.[1] ?? []) touched.add(resource);
  }
  const kind = message.type?.split(".")[0];
  if (kind !== undefined) for (const resource of BY_MESSAGE[kind] ?? []) touched.add(resource);
  if (touched.has("jobs") || touched.has("notifications")) touched.add("traces");
  return [...touched];
}
