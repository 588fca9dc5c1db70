/** Which resources a publication makes stale: first words of event types, and the other things the operations channel tells of. */
const BY_EVENT: [prefix: string, resources: string[]][] = [
  ["forms.submission.", ["submissions"]],
  ["forms.", ["forms"]],
  ["notify.inbox", ["inbox"]],
  ["notify.", ["notifications", "mails"]],
  ["assistant.", ["conversations"]],
  ["identity.key", ["keys", "audit"]],
  ["identity.", ["members", "audit", "keys"]],
];

const BY_MESSAGE: Record<string, string[]> = {
  job: ["jobs"],
  request: ["requests"],
  submission: ["submissions"],
  notification: ["notifications", "mails"],
  inbox: ["inbox"],
  conversation: ["conversations"],
};

export interface LiveMessage {
  type?: string;
  event?: { type?: string };
}

export function keysTouchedBy(channel: string, message: LiveMessage): string[] {
  if (channel.startsWith("inbox:")) return ["inbox"];
  const touched = new Set<string>();
  const eventType = message.event?.type;
  if (eventType !== undefined) {
    touched.add("traces");
    for (const resource of BY_EVENT.find(([prefix]) => eventType.startsWith(prefix))?.[1] ?? []) touched.add(resource);
  }
  const kind = message.type?.split(".")[0];
  if (kind !== undefined) for (const resource of BY_MESSAGE[kind] ?? []) touched.add(resource);
  if (touched.has("jobs") || touched.has("notifications")) touched.add("traces");
  return [...touched];
}
