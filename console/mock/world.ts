/** A plausible tenant for developing the console without a server. Never part of a build. */
import type {
  ApiKey, AuditEntry, Conversation, EventRecord, Form, FormDefinition, FormVersion, InboxItem, Job, Json, Limits, Mail, Member, Notification, Overview, ParkedEvent,
  ProblemBody, Readiness, RequestRecord, Schedule, Session, Span, Submission, Tenant, TokenIssuer, Trace,
} from "../src/api/types";
import { seeded } from "./random";

const r = seeded(20_261_122);
const MINUTE = 60_000;
const iso = (ms: number) => new Date(ms).toISOString();

const PEOPLE = [
  ["Ada Moreau", "ada@northwind.example", "We run a payments API in Lyon and would like to talk about moving our webhook delivery onto something with per-destination backoff. Do you take on short engagements?"],
  ["Tomás Herrera", "tomas@lumen.example", "Your note on lease fencing saved us an incident last week. One question: how do you choose the lease length when attempts can legitimately take minutes?"],
  ["Grace Okafor", "grace.okafor@fieldnotes.example", "Could you share how the form versions are migrated? We have 1,200 published forms and need a path."],
  ["Jonas Lindqvist", "jonas@havn.example", "Hi, is the sample site's source available? I'd like to see how the chat island is put together."],
  ["Mei Tanaka", "mei.tanaka@kumo.example", "Interested in a backend role on our platform team in Tokyo, remote friendly. May we set up a call next week?"],
  ["Priya Raman", "priya@stackwell.example", "The RSS feed gave me a 304 with a body through our proxy. Probably ours, but you may want to check."],
  ["Lukas Weber", "lukas.weber@kante.example", "Short one: what do you use for tracing across retries?"],
  ["Ines Carvalho", "ines@maré.example", "Olá! Escrevo de Lisboa. Gostava de perceber como medem os 300 ms de arranque."],
  ["Sam O’Neill", "sam@driftwood.example", "We'd like you to review a design for a multi-tenant queue. Two days, paid. Are you free in December?"],
  ["Noor Haddad", "noor@cedarworks.example", "Thanks for the talk. The part about fair queues between tenants was the missing piece for us."],
] as const;

const contact: FormDefinition = {
  title: "Contact",
  description: "Write a few lines. The answer comes from a person.",
  submit_label: "Send",
  thank_you: "Thank you. You will hear back within two days.",
  fields: [
    { key: "name", kind: "text", label: "Name", required: true, max_length: 120 },
    { key: "email", kind: "email", label: "E-mail", required: true, help: "Only used to answer you." },
    { key: "topic", kind: "choice", label: "What is it about?", required: false, options: [{ value: "work", label: "Working together" }, { value: "question", label: "A question" }, { value: "other", label: "Something else" }] },
    { key: "message", kind: "long_text", label: "Message", required: true, min_length: 10, max_length: 5000 },
    { key: "copy", kind: "checkbox", label: "Send me a copy" },
  ],
};
const waitlist: FormDefinition = {
  title: "Early access",
  submit_label: "Join",
  thank_you: "You are on the list.",
  fields: [
    { key: "email", kind: "email", label: "Work e-mail", required: true },
    { key: "company", kind: "text", label: "Company", max_length: 80 },
    { key: "reference", kind: "text", label: "Referral code", pattern: "[A-Z]{2}[0-9]{4}", help: "Two letters and four digits, if you have one." },
  ],
};

export function makeWorld(now: number) {
  const tenants: Tenant[] = [
    { object: "tenant", id: r.id("tnt"), name: "Northwind", mode: "live", rev: 3, created_at: iso(now - 41 * 24 * 60 * MINUTE), updated_at: iso(now - 9 * 24 * 60 * MINUTE) },
    { object: "tenant", id: r.id("tnt"), name: "Northwind sandbox", mode: "test", rev: 1, created_at: iso(now - 41 * 24 * 60 * MINUTE), updated_at: iso(now - 41 * 24 * 60 * MINUTE) },
  ];
  const members: Member[] = (
    [
      ["Rajkumar", "raj@northwind.example", "owner", 1],
      ["Ada Moreau", "ada@northwind.example", "admin", 42],
      ["Tomás Herrera", "tomas@northwind.example", "developer", 600],
      ["Grace Okafor", "grace@northwind.example", "viewer", 9000],
      ["", "jonas@northwind.example", "developer", null],
    ] as const
  ).map(([name, email, role, seen], i) => ({
    object: "member", id: r.id("mbr"), name, email, role, status: seen === null ? "invited" : "active",
    created_at: iso(now - (41 - i * 7) * 24 * 60 * MINUTE), last_seen_at: seen === null ? null : iso(now - seen * MINUTE),
  }));
  const me = members[0] as Member;
  const session: Session = { object: "session", id: r.id("ses"), member: me, tenant: tenants[0] as Tenant, tenants, expires_at: iso(now + 8 * 60 * MINUTE) };

  const forms: Form[] = [
    { object: "form", id: r.id("frm"), key: "contact", title: "Contact", status: "published", published_version: 3, draft: contact, rev: 7, created_at: iso(now - 40 * 24 * 60 * MINUTE), updated_at: iso(now - 5 * 24 * 60 * MINUTE) },
    { object: "form", id: r.id("frm"), key: "early-access", title: "Early access", status: "changed", published_version: 1, draft: waitlist, rev: 4, created_at: iso(now - 12 * 24 * 60 * MINUTE), updated_at: iso(now - 95 * MINUTE) },
    { object: "form", id: r.id("frm"), key: "exit-survey", title: "Exit survey", status: "draft", published_version: null, draft: { title: "Exit survey", fields: [{ key: "reason", kind: "long_text", label: "Why are you leaving?" }] }, rev: 1, created_at: iso(now - 30 * MINUTE), updated_at: iso(now - 30 * MINUTE) },
  ];
  const form = forms[0] as Form;
  const versions: FormVersion[] = forms.flatMap((f) =>
    Array.from({ length: f.published_version ?? 0 }, (_, i) => ({
      object: "form_version" as const, id: r.id("fv"), form_id: f.id, number: i + 1,
      definition: i + 1 < (f.published_version ?? 0) ? { ...f.draft, fields: f.draft.fields.slice(0, 2 + i) } : f.draft,
      published_by: `member:${me.id}`, created_at: iso(now - (40 - i * 14) * 24 * 60 * MINUTE),
    })),
  ).reverse();

  const events: EventRecord[] = [];
  const jobs: Job[] = [];
  const notifications: Notification[] = [];
  const mails: Mail[] = [];
  const inbox: InboxItem[] = [];
  const submissions: Submission[] = [];
  const traces = new Map<string, Trace>();
  let sequence = 41_022;

  const event = (type: string, at: number, subject: string, actor: string, trace_id: string, cause: string | null, data: Record<string, Json>): EventRecord => {
    const made: EventRecord = { object: "event", id: r.id("evt"), type, version: 1, created_at: iso(at), subject, partition: r.below(64), sequence: sequence++, actor, trace_id, causation_id: cause, data };
    events.push(made);
    return made;
  };

  /** One submission and everything that follows from it: `fate` decides how the e-mail fares. */
  function story(at: number, person: readonly [string, string, string], fate: "ok" | "retry" | "dead" | "running") {
    const trace_id = r.hex(32);
    const [name, email, message] = person;
    const visitor = `visitor:${r.hex(12)}`;
    const spans: Span[] = [];
    const span = (parent: Span | null, kind: Span["kind"], label: string, from: number, ms: number | null, status: Span["status"], attributes: Record<string, Json>): Span => {
      const made: Span = { id: r.hex(16), parent_id: parent?.id ?? null, kind, name: label, status, started_at: iso(at + from), ended_at: ms === null ? null : iso(at + from + ms), attributes };
      spans.push(made);
      return made;
    };
    const submission: Submission = {
      object: "submission", id: r.id("sub"), form_id: form.id, form_title: form.title, form_version: 3,
      values: { name, email, topic: r.pick(["work", "question", "other"]), message, copy: r.next() > 0.5 }, actor: visitor, client_ip: `203.0.113.${r.below(250)}`, trace_id, created_at: iso(at + 9),
    };
    submissions.push(submission);
    const request = span(null, "request", "POST /contact", 0, 14, "ok", { request_id: r.id("req"), status: 303, method: "POST", path: "/contact", client_ip: submission.client_ip });
    const command = span(request, "command", "submit_form", 3, 8, "ok", { form_id: form.id, form_version: 3, rows: 3, events: 1, commit_ms: 4.1, units_in_commit: 2 });
    const completed = event("forms.submission.completed", at + 10, submission.id, visitor, trace_id, null, { submission_id: submission.id, form_id: form.id, form_key: "contact", form_version: 3 });
    const completedSpan = span(command, "event", "forms.submission.completed", 10, 1, "ok", { event_id: completed.id, partition: completed.partition, sequence: completed.sequence });
    const workflow = span(completedSpan, "consumer", "notify.workflows", 16, 7, "ok", { consumer: "notify.workflows", workflow: "contact-received", jobs: 2 });
    span(completedSpan, "consumer", "realtime.operations", 15, 2, "ok", { consumer: "realtime.operations" });

    const inApp: InboxItem = { object: "inbox_item", id: r.id("inb"), title: `New message from ${name}`, body: message, link: `/console/submissions/${submission.id}`, trace_id, notification_id: r.id("ntf"), created_at: iso(at + 40), read_at: at < now - 120 * MINUTE ? iso(at + 30 * MINUTE) : null };
    inbox.push(inApp);
    const inJobId = r.id("job");
    const inJob = span(workflow, "job", "notify.deliver_in_app", 23, 20, "ok", { job_id: inJobId, queue: "notify" });
    const inAttempt = span(inJob, "attempt", "Attempt 1", 33, 6, "ok", { worker: "w1", inbox_item_id: inApp.id });
    span(inAttempt, "publication", `inbox:#${me.id.slice(0, 10)}…`, 40, 1, "ok", { channel: `inbox:#${me.id}`, subscribers: 1, bytes: 412 });
    jobs.push({ object: "job", id: inJobId, queue: "notify", kind: "notify.deliver_in_app", state: "succeeded", attempt: 1, max_attempts: 8, run_at: iso(at + 23), created_at: iso(at + 23), finished_at: iso(at + 40), last_error: null, destination: null, ordering_key: null, trace_id, payload: { inbox_item_id: inApp.id }, attempts: [{ id: r.id("att"), number: 1, started_at: iso(at + 33), ended_at: iso(at + 39), outcome: "succeeded", error: null }] });
    notifications.push({ object: "notification", id: inApp.notification_id as string, workflow: "contact-received", channel: "in_app", status: "delivered", recipient: me.email, subject: inApp.title, created_at: iso(at + 20), updated_at: iso(at + 40), event_id: completed.id, job_id: inJobId, mail_id: null, trace_id, last_error: null, attempts: [{ id: r.id("att"), number: 1, started_at: iso(at + 33), ended_at: iso(at + 39), outcome: "ok", provider: "inbox", response: null, error: null }] });

    const REFUSED = "451 4.7.1 Greylisting in action, please come back in 300 seconds";
    const GONE = "550 5.1.1 <team@northwind.example>: Recipient address rejected: mailbox unavailable";
    const plan = { ok: [], retry: [62_000, 300_000], dead: [30_000, 62_000, 125_000, 250_000], running: [] }[fate];
    const jobId = r.id("job");
    const subject = `New message from ${name}`;
    const mailId = r.id("eml");
    let cursor = 24;
    const lines: { from: number; to: number | null; error: string | null }[] = [];
    for (const wait of plan) {
      lines.push({ from: cursor + 8, to: cursor + 8 + 210 + r.below(400), error: fate === "dead" ? GONE : REFUSED });
      cursor = (lines[lines.length - 1]?.to ?? cursor) + wait;
    }
    lines.push(fate === "running" ? { from: cursor + 8, to: null, error: null } : { from: cursor + 8, to: cursor + 8 + 180 + r.below(300), error: fate === "dead" ? GONE : null });
    const last = lines[lines.length - 1] as (typeof lines)[number];
    const jobSpan = span(workflow, "job", "notify.send_email", 23, last.to === null ? null : last.to - 21, fate === "dead" ? "error" : fate === "running" ? "running" : "ok", { job_id: jobId, queue: "email", max_attempts: 5, destination: "smtp:mx.northwind.example" });
    lines.forEach((line, i) => {
      const attempt = span(jobSpan, "attempt", `Attempt ${i + 1}`, line.from, line.to === null ? null : line.to - line.from, line.to === null ? "running" : line.error ? "error" : "ok", { number: i + 1, worker: `w${1 + r.below(3)}`, provider: "smtp", ...(line.error ? { error: line.error, retry: fate === "retry" } : {}) });
      if (i === lines.length - 1 && fate !== "dead" && line.to !== null) {
        const sent = event("notify.notification.delivered", at + line.to, jobId, "system:notify", trace_id, completed.id, { notification_id: inApp.notification_id, channel: "email", attempt: i + 1 });
        span(attempt, "event", "notify.notification.delivered", line.to, 1, "ok", { event_id: sent.id });
      }
    });
    if (fate === "dead") event("notify.notification.dead", at + (last.to ?? 0), jobId, "system:notify", trace_id, completed.id, { notification_id: inApp.notification_id, channel: "email", attempts: lines.length });
    const emailNotification = r.id("ntf");
    const attempts = lines.map((line, i) => ({ id: r.id("att"), number: i + 1, started_at: iso(at + line.from), ended_at: line.to === null ? null : iso(at + line.to), error: line.error }));
    jobs.push({ object: "job", id: jobId, queue: "email", kind: "notify.send_email", state: fate === "dead" ? "dead" : fate === "running" ? "running" : "succeeded", attempt: lines.length, max_attempts: 5, run_at: iso(at + last.from), created_at: iso(at + 23), finished_at: last.to === null ? null : iso(at + last.to), last_error: lines.filter((l) => l.error).at(-1)?.error ?? null, destination: "smtp:mx.northwind.example", ordering_key: null, trace_id, payload: { notification_id: emailNotification, to: "team@northwind.example", template: "contact-received" }, attempts: attempts.map((a) => ({ ...a, outcome: a.ended_at === null ? "running" : a.error ? "error" : "succeeded" })) });
    notifications.push({ object: "notification", id: emailNotification, workflow: "contact-received", channel: "email", status: fate === "dead" ? "dead" : fate === "running" ? "sending" : "delivered", recipient: "team@northwind.example", subject, created_at: iso(at + 20), updated_at: iso(at + (last.to ?? last.from)), event_id: completed.id, job_id: jobId, mail_id: fate === "ok" ? mailId : null, trace_id, last_error: lines.at(-1)?.error ?? null, attempts: attempts.map((a) => ({ ...a, outcome: a.ended_at === null ? "running" : a.error ? "error" : "ok", provider: "smtp", response: a.error ? null : "250 2.0.0 Ok: queued as 4F1c2B" })) });
    if (fate === "ok") {
      const text = `${name} wrote through the contact form:\n\n${message}\n\nAnswer: ${email}\n`;
      const html = `<html><body style="margin:0;font-family:Georgia,serif;color:#222;line-height:1.6"><table width="100%" cellpadding="0" style="max-width:560px"><tr><td style="padding:8px 0 20px"><strong style="font-size:18px">${name}</strong><br><a href="mailto:${email}" style="color:#0f6b5c">${email}</a></td></tr><tr><td style="border-left:3px solid #0f6b5c;padding:4px 0 4px 16px">${message}</td></tr><tr><td style="padding:24px 0 0;font-size:13px;color:#666">Sent by Plinth because the form “Contact” was completed. <a href="https://northwind.example/console" style="color:#666">Open in the console</a></td></tr></table><script>alert(1)</script><img src="http://tracker.example/x.gif" onerror="alert(2)"></body></html>`;
      const headers = [["From", "Northwind <hello@northwind.example>"], ["To", "team@northwind.example"], ["Subject", subject], ["Date", new Date(at).toUTCString()], ["Message-ID", `<${mailId}@northwind.example>`], ["MIME-Version", "1.0"], ["Content-Type", 'multipart/alternative; boundary="b1"']].map(([n, v]) => ({ name: n as string, value: v as string }));
      const raw = `${headers.map((h) => `${h.name}: ${h.value}`).join("\r\n")}\r\n\r\n--b1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${text}\r\n--b1\r\nContent-Type: text/html; charset=utf-8\r\n\r\n${html}\r\n--b1--\r\n`;
      mails.push({ object: "mail", id: mailId, from: "Northwind <hello@northwind.example>", to: ["team@northwind.example"], subject, size_bytes: raw.length, notification_id: emailNotification, trace_id, created_at: iso(at + 300), text, html, raw, headers });
    }
    const end = Math.max(...spans.map((s) => (s.ended_at ? Date.parse(s.ended_at) : now)));
    traces.set(trace_id, { object: "trace", trace_id, started_at: iso(at), duration_ms: end - at, spans });
  }

  const ages = [0.4, 7, 19, 64, 150, 260, 420, 900, 1500, 2300, 3100, 4400, 5600, 7000, 8800];
  ages.forEach((age, i) => story(now - age * MINUTE, PEOPLE[i % PEOPLE.length] as (typeof PEOPLE)[number], i === 0 ? "running" : i === 1 || i === 6 ? "retry" : i === 3 || i === 8 ? "dead" : "ok"));
  for (let i = 0; i < 70; i += 1) {
    const at = now - (10_000 + i * 97) * MINUTE;
    const [name, email, message] = r.pick(PEOPLE);
    submissions.push({ object: "submission", id: r.id("sub"), form_id: forms[i % 4 === 0 ? 1 : 0]?.id ?? form.id, form_title: i % 4 === 0 ? "Early access" : "Contact", form_version: 1 + (i % 3), values: i % 4 === 0 ? { email, company: "—", reference: "PL2041" } : { name, email, message }, actor: `visitor:${r.hex(12)}`, client_ip: "203.0.113.9", trace_id: r.hex(32), created_at: iso(at) });
  }
  jobs.push({ object: "job", id: r.id("job"), queue: "email", kind: "notify.send_email", state: "due", attempt: 2, max_attempts: 5, run_at: iso(now + 4 * MINUTE), created_at: iso(now - 3 * MINUTE), finished_at: null, last_error: "421 4.3.2 Service not available, closing transmission channel", destination: "smtp:mx.lumen.example", ordering_key: null, trace_id: r.hex(32), payload: {}, attempts: [] });
  jobs.push({ object: "job", id: r.id("job"), queue: "housekeeping", kind: "api.sweep_idempotency_keys", state: "due", attempt: 0, max_attempts: 3, run_at: iso(now + 22 * MINUTE), created_at: iso(now - 38 * MINUTE), finished_at: null, last_error: null, destination: null, ordering_key: null, trace_id: r.hex(32), payload: {}, attempts: [] });
  jobs.push({ object: "job", id: r.id("job"), queue: "email", kind: "notify.send_email", state: "cancelled", attempt: 1, max_attempts: 5, run_at: iso(now - 200 * MINUTE), created_at: iso(now - 220 * MINUTE), finished_at: iso(now - 190 * MINUTE), last_error: null, destination: null, ordering_key: null, trace_id: r.hex(32), payload: {}, attempts: [] });
  event("identity.member.invited", now - 300 * MINUTE, members[4]?.id ?? "", `member:${me.id}`, r.hex(32), null, { role: "developer" });
  event("forms.form.published", now - 5 * 24 * 60 * MINUTE, form.id, `member:${me.id}`, r.hex(32), null, { version: 3 });

  const requests: RequestRecord[] = Array.from({ length: 140 }, (_, i) => request(now - i * i * 900 - 3_000, i));
  function request(at: number, i: number): RequestRecord {
    const [method, path, operation] = r.pick([
      ["GET", "/v1/submissions?limit=50", "list_submissions"], ["GET", "/v1/forms", "list_forms"], ["POST", `/v1/forms/${form.id}/submissions`, "submit_form"], ["GET", "/v1/overview", "get_overview"],
      ["POST", "/v1/assistant/chat", "start_chat"], ["GET", `/v1/traces/${r.hex(32)}`, "get_trace"], ["GET", "/v1/jobs?state=dead", "list_jobs"], ["PUT", `/v1/forms/${form.id}/draft`, "put_form_draft"], ["GET", "/v1/session", "get_session"],
    ] as const);
    const failure: [number, string, string, string] | null =
      i === 9 ? [500, "internal", "Something broke on our side", "The request was undone. It is safe to send it again with the same Idempotency-Key."]
      : i % 11 === 4 ? [422, "validation_failed", "Validation failed", "One field does not fit its rules."]
      : i % 17 === 6 ? [429, "rate_limited", "Too many requests", "The key's limit of 50 requests a second is used up. Wait 1 second."]
      : i % 23 === 8 ? [404, "not_found", "Not found", "There is no form with this id."]
      : i % 29 === 11 ? [412, "precondition_failed", "Precondition failed", "The form changed after you read it."] : null;
    const id = r.id("req");
    const problem: ProblemBody | null = failure && { type: `/docs/errors/${failure[1]}`, title: failure[2], status: failure[0], code: failure[1], detail: failure[3], request_id: id, instance: `/v1/requests/${id}`, retryable: failure[0] >= 429, ...(failure[0] === 422 ? { errors: [{ pointer: "/values/email", code: "invalid_email", detail: "This is not an e-mail address: the part after @ is missing." }] } : {}) };
    return { object: "request", id, created_at: iso(at), method, path, operation, status: failure?.[0] ?? (method === "POST" ? 201 : 200), duration_ms: Math.round((0.4 + r.next() * 6 + (i % 31 === 5 ? 1400 : 0)) * 100) / 100, actor: r.pick([`member:${me.id}`, `key:${r.id("key")}`, "visitor:4be1c02af91d", "anonymous"]), trace_id: [...traces.keys()][i % traces.size] ?? r.hex(32), client_ip: `198.51.100.${r.below(250)}`, user_agent: r.pick(["Mozilla/5.0 (Macintosh; Intel Mac OS X 15_4)", "plinth-typescript/0.1.0", "curl/8.9.1"]), client_request_id: null, idempotency_key: method === "GET" ? null : r.hex(32), version: "2026-11-01", problem };
  }

  const keys: ApiKey[] = [
    { object: "api_key", id: r.id("key"), name: "Billing service", kind: "secret", prefix: "plk_live_sk_7f3k", scopes: ["forms:submissions:read", "forms:forms:read", "notify:notifications:read", "flow:events:read"], status: "active", created_at: iso(now - 30 * 24 * 60 * MINUTE), last_used_at: iso(now - 12_000), expires_at: null },
    { object: "api_key", id: r.id("key"), name: "Website", kind: "publishable", prefix: "plk_live_pk_q2m8", scopes: ["forms:submissions:create", "assistant:chat"], status: "active", created_at: iso(now - 40 * 24 * 60 * MINUTE), last_used_at: iso(now - 48_000), expires_at: null },
    { object: "api_key", id: r.id("key"), name: "Warehouse export", kind: "secret", prefix: "plk_live_sk_a91c", scopes: ["forms:submissions:read"], status: "rotating", created_at: iso(now - 90 * 24 * 60 * MINUTE), last_used_at: iso(now - 3 * MINUTE), expires_at: iso(now + 17 * 60 * MINUTE) },
    { object: "api_key", id: r.id("key"), name: "Raj’s laptop", kind: "personal", prefix: "plk_live_pat_zz0d", scopes: ["*"], status: "active", created_at: iso(now - 3 * 24 * 60 * MINUTE), last_used_at: null, expires_at: null },
    { object: "api_key", id: r.id("key"), name: "Old staging", kind: "secret", prefix: "plk_live_sk_0b77", scopes: ["*"], status: "revoked", created_at: iso(now - 200 * 24 * 60 * MINUTE), last_used_at: iso(now - 100 * 24 * 60 * MINUTE), expires_at: null },
  ];
  const audit: AuditEntry[] = (
    [
      ["api_key.rotated", keys[2]?.id, 6], ["form.published", form.id, 95], ["member.invited", members[4]?.id, 300], ["session.created", session.id, 320], ["api_key.created", keys[3]?.id, 4300], ["member.role_changed", members[2]?.id, 9000], ["api_key.revoked", keys[4]?.id, 14_000], ["tenant.renamed", tenants[0]?.id, 20_000], ["tenant.created", tenants[0]?.id, 59_000],
    ] as const
  ).map(([action, target, age], i) => ({ object: "audit_entry", id: r.id("aud"), created_at: iso(now - age * MINUTE), actor: `member:${members[i % 2]?.id ?? me.id}`, action, target: target ?? null, request_id: r.id("req"), client_ip: "198.51.100.23", details: (action === "member.role_changed" ? { before: "viewer", after: "developer" } : action === "api_key.rotated" ? { overlap_seconds: 86_400 } : {}) as Record<string, Json> }));

  const passages = [
    ["systems.flow.problem", "Systems › Durable jobs › Problem", "/systems/flow#problem"], ["systems.flow.scalability", "Systems › Durable jobs › Scalability", "/systems/flow#scalability"], ["notes.leases", "Notes › Leases and fencing tokens", "/notes/leases"], ["skills.postgresql", "Skills › PostgreSQL", "/skills#postgresql"], ["experience.northwind", "Experience › Northwind", "/experience#northwind"],
  ] as const;
  const conversations: Conversation[] = Array.from({ length: 9 }, (_, i) => {
    const at = now - (14 + i * 173) * MINUTE;
    const [question, answer, grounded] = (
      [
        ["How does he keep jobs fair between tenants?", "Each tenant has its own queue, and workers take from them by deficit round robin, so one tenant's burst waits behind itself and nobody else [1]. Attempts hold a lease with a deadline and a fencing token; a worker that comes back late finds its token refused [2].", true],
        ["Which databases has he run in production?", "PostgreSQL since version 9.4, with logical replication and online migrations on tables of several hundred million rows [1].", true],
        ["What is his favourite colour?", "The site does not say. You can ask through the contact form.", false],
      ] as const
    )[i % 3] as readonly [string, string, boolean];
    return {
      object: "conversation", id: r.id("cnv"), title: question, visitor: `visitor:${r.hex(12)}`, page: r.pick(["/", "/systems/flow", "/notes/leases"]), message_count: 2, grounded, created_at: iso(at), updated_at: iso(at + 9_000),
      messages: [
        { id: r.id("msg"), role: "user", text: question, created_at: iso(at), status: "complete", citations: [], rating: null, run: null },
        {
          id: r.id("msg"), role: "assistant", text: answer, created_at: iso(at + 400), status: "complete", rating: i === 0 ? 1 : null,
          citations: grounded ? (i % 3 === 0 ? [[1, passages[1]], [2, passages[2]]] : [[1, passages[3]]]).map(([n, p]) => ({ n: n as number, title: (p as readonly string[])[1] ?? "", url: (p as readonly string[])[2] ?? "", quote: "A worker takes from the tenant whose deficit is largest, and pays for what it took." })) : [],
          run: { id: r.id("run"), provider: "extractive", grounded, refused: !grounded, ttft_ms: 11 + i, total_ms: 420 + i * 13, input_tokens: 0, output_tokens: 0, trace_id: r.hex(32), retrieved: passages.slice(0, grounded ? 5 : 2).map((p, j) => ({ passage_id: p[0], path: p[1], url: p[2], score: Math.round((11.4 / (1 + j * 0.7)) * 100) / 100, used: grounded && (i % 3 === 0 ? j === 1 || j === 2 : j === 3) })) },
        },
      ],
    };
  });

  const parked: ParkedEvent[] = [{ object: "parked_event", id: r.id("evt"), event_id: events[3]?.id ?? "", event_type: "forms.submission.completed", consumer: "notify.workflows", attempts: 8, error: "workflow contact-received: template field ‘company’ is not in version 2 of the form", parked_at: iso(now - 75 * MINUTE), trace_id: r.hex(32) }];
  const schedules: Schedule[] = [
    { object: "schedule", id: r.id("sch"), name: "api.sweep_idempotency_keys", cron: "0 * * * *", timezone: "UTC", enabled: true, next_run_at: iso(now + 22 * MINUTE), last_run_at: iso(now - 38 * MINUTE) },
    { object: "schedule", id: r.id("sch"), name: "flow.sweep_finished_jobs", cron: "30 3 * * *", timezone: "Europe/Berlin", enabled: true, next_run_at: iso(now + 600 * MINUTE), last_run_at: iso(now - 840 * MINUTE) },
  ];
  const limits: Limits = {
    object: "limits",
    limits: [
      { name: "requests_per_second", value: 50, unit: "requests", description: "For each key, in a burst" }, { name: "requests_per_minute", value: 600, unit: "requests", description: "For the tenant" }, { name: "request_body", value: 1_048_576, unit: "bytes", description: "JSON bodies" },
      { name: "form_submission", value: 262_144, unit: "bytes", description: "One submission" }, { name: "form_fields", value: 200, unit: "fields", description: "In one definition" }, { name: "idempotency_retention", value: 86_400, unit: "seconds", description: "How long an answer is kept for its key" },
      { name: "realtime_connections", value: 10_000, unit: "sockets", description: "At one time" }, { name: "write_timeout", value: 15_000, unit: "ms", description: "From first byte to answer" },
    ],
  };
  const issuers: TokenIssuer[] = [{ object: "token_issuer", id: r.id("iss"), issuer: "https://id.northwind.example", jwks_url: "https://id.northwind.example/.well-known/jwks.json", audience: "plinth", created_at: iso(now - 20 * 24 * 60 * MINUTE) }];
  const readiness: Readiness = { status: "ready", version: "0.1.0", checks: [{ name: "store", status: "ok", detail: "SQLite, 41 MiB, last commit 3 ms" }, { name: "events", status: "ok", detail: "64 partitions, all level" }, { name: "jobs", status: "ok", detail: "4 workers" }, { name: "mail", status: "ok", detail: "file outbox: no mail server is configured" }, { name: "content", status: "ok", detail: "38 pages, 412 passages" }] };

  const byTime = <T extends { created_at: string }>(rows: T[]) => rows.sort((a, b) => b.created_at.localeCompare(a.created_at));
  return { session, members, forms, versions, events: byTime(events), jobs: byTime(jobs), notifications: byTime(notifications), mails: byTime(mails), inbox: byTime(inbox), submissions: byTime(submissions), traces, requests, keys, audit, conversations, parked, schedules, limits, issuers, readiness, story, byTime };
}

export type World = ReturnType<typeof makeWorld>;

export function overviewOf(world: World, now: number): Overview {
  const wave = (i: number, at: number) => 14 + 6 * Math.sin(at / 41_000) + 3 * Math.sin(at / 7_000 + i) + ((at / 1000) % 97 < 4 ? 9 : 0);
  const times = Array.from({ length: 90 }, (_, i) => now - (89 - i) * 2_000);
  const per_second = wave(0, now);
  return {
    object: "overview", at: iso(now), version: "0.1.0", uptime_seconds: 5 * 86_400 + 3_720, engine: "SQLite",
    requests: {
      per_second, error_ratio: 0.0042, p50_ms: 0.81, p99_ms: 6.2 + Math.sin(now / 5_000),
      series: times.map((at) => ({ at: iso(at), value: wave(0, at) })),
      error_series: times.map((at) => ({ at: iso(at), value: Math.floor(at / 2000) % 23 === 0 ? 1.5 : 0 })),
      p99_series: times.map((at) => ({ at: iso(at), value: 6.2 + Math.sin(at / 5_000) + (Math.floor(at / 2000) % 31 === 0 ? 5 : 0) })),
    },
    submissions: { today: 12, yesterday: 31, series: [] },
    jobs: { due: world.jobs.filter((j) => j.state === "due").length + Math.floor(2 + 2 * Math.sin(now / 9_000)), running: 1 + (Math.floor(now / 4000) % 2), dead: world.jobs.filter((j) => j.state === "dead").length, oldest_due_ms: 1_800 },
    events: { lag: Math.floor(now / 2000) % 5 === 0 ? 2 : 0, lag_ms: 14, parked: world.parked.length, per_second: 1.4 },
    store: { commit_p50_ms: 2.4, commit_p99_ms: 4.1 + Math.sin(now / 6_000), units_per_commit: 3.2, queue: 0 },
    realtime: { connections: 43, channels: 12 },
    deliveries: { today: 24, failed_today: 1 },
  };
}
