/** A plausible tenant for developing the console without a server. Never part of a build. */
import type {
  ApiKey, AuditEntry, ConversationDetail, EventRecord, Form, FormDefinition, FormVersion, FormField, InboxItem, Job, Limits, MailDetail, Member, NotificationDetail, Overview, ParkedEvent,
  Invite, Readiness, RequestRecord, Schedule, Session, Span, Submission, Tenant, TokenIssuer, Trace, Workflow,
} from "../src/api/models.ts";
type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

import { TEMPLATES } from "../src/lib/workflow.ts";
import { seeded } from "./random.ts";

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

const field = (key: string, type: FormField["type"], label: string, rest: Partial<FormField> = {}): FormField => ({ id: `fl_${key}`, key, type, label: { en: label }, ...rest });
const definition = (title: string, items: FormField[], description = "", thanks = "Thank you."): FormDefinition => ({ lang: 1, default_locale: "en", title: { en: title }, description: description ? { en: description } : {}, pages: [{ id: "pg_1", title: {}, items }], settings: { submit_label: { en: "Send" }, thank_you: { en: thanks } } });
const CHOICES = [["work", "Working together"], ["question", "A question"], ["other", "Something else"]] as const;
const contact = definition(
  "Contact",
  [
    field("name", "text", "Name", { required: true, max_length: 120 }),
    field("email", "email", "E-mail", { required: true, help: { en: "Only used to answer you." } }),
    field("topic", "choice", "What is it about?", { choices: CHOICES.map(([key, label]) => ({ id: `ch_${key}`, key, label: { en: label } })) }),
    field("message", "long_text", "Message", { required: true, min_length: 10, max_length: 5000 }),
    field("copy", "checkbox", "Send me a copy"),
  ],
  "Write a few lines. The answer comes from a person.",
  "Thank you. You will hear back within two days.",
);
const waitlist = definition("Early access", [field("email", "email", "Work e-mail", { required: true }), field("company", "text", "Company", { max_length: 80 }), field("reference", "text", "Referral code", { pattern: "[A-Z]{2}[0-9]{4}", help: { en: "Two letters and four digits, if you have one." } })]);
const survey = definition("Exit survey", [field("reason", "long_text", "Why are you leaving?")]);

export function makeWorld(now: number) {
  const days = (n: number) => iso(now - n * 24 * 60 * MINUTE);
  const organisation_id = r.id("org");
  const tenants: Tenant[] = (["live", "test"] as const).map((mode) => ({ object: "tenant", id: r.id("tnt"), name: "Northwind", mode, organisation_id, twin_id: r.id("tnt"), settings: {}, allowed_origins: ["https://northwind.example"], rev: 3, created_at: days(41), updated_at: days(9) }));
  const members: Member[] = (
    [
      ["Rajkumar", "raj@northwind.example", "owner", 1],
      ["Ada Moreau", "ada@northwind.example", "admin", 42],
      ["Tomás Herrera", "tomas@northwind.example", "developer", 600],
      ["Grace Okafor", "grace@northwind.example", "viewer", 9000],
      ["Jonas Lindqvist", "jonas@northwind.example", "developer", null],
    ] as const
  ).map(([name, email, role, seen], i) => ({ object: "member", id: r.id("mbr"), name, email, role, last_login_at: seen === null ? null : iso(now - seen * MINUTE), rev: 1, created_at: days(41 - i * 7), updated_at: days(41 - i * 7) }));
  const me = members[0] as Member;
  const session: Session = { object: "current_session", member: me, role: "owner", scopes: ["*"], tenant: tenants[0] as Tenant, tenants: tenants.map((t) => ({ id: t.id, name: t.name, mode: t.mode, organisation: "Northwind", role: "owner" })) };

  const forms: Form[] = (
    [
      ["contact", "Contact", 3, 40, 5],
      ["early-access", "Early access", 1, 12, 0.07],
      ["exit-survey", "Exit survey", null, 0.02, 0.02],
    ] as const
  ).map(([external_id, name, live_version, made, changed]) => ({ object: "form", id: r.id("frm"), external_id, name, state: "active", live_version, draft_rev: 4, rev: 7, metadata: {}, created_at: days(made), updated_at: days(changed) }));
  const form = forms[0] as Form;
  const drafts = new Map<string, FormDefinition>([contact, { ...waitlist, description: { en: "Changed, not published." } }, survey].map((d, i) => [forms[i]?.id ?? "", d]));
  const shortened = (d: FormDefinition, n: number): FormDefinition => ({ ...d, pages: d.pages.map((page) => ({ ...page, items: page.items.slice(0, n) })) });
  const versions: FormVersion[] = forms
    .flatMap((f, k) =>
      Array.from({ length: f.live_version ?? 0 }, (_, i) => ({
        object: "form_version" as const, id: r.id("fv"), form_id: f.id, number: i + 1, hash: r.hex(64), note: "",
        definition: i + 1 < (f.live_version ?? 0) ? shortened(k === 0 ? contact : waitlist, 2 + i) : k === 0 ? contact : waitlist,
        published_by: `member:${me.id}`, created_at: days(40 - i * 14),
      })),
    )
    .reverse();
  const fieldsOf = (values: Record<string, Json>) => Object.entries(values).map(([key, value]) => ({ key, label: contact.pages[0]?.items.find((f) => f.key === key)?.label?.en ?? key, type: contact.pages[0]?.items.find((f) => f.key === key)?.type ?? "text", display: value === true ? "Yes" : value === false ? "No" : (CHOICES.find((c) => c[0] === value)?.[1] ?? String(value)) }));
  const submitted = (values: Record<string, Json>, of: Form, at: number, actor: string, trace_id: string): Submission => ({ object: "submission", id: r.id("sub"), form_id: of.id, version: of.live_version ?? 1, state: "completed", values, fields: fieldsOf(values), actor, user_agent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 15_4)", trace_id, rev: 1, created_at: iso(at), updated_at: iso(at) });

  const events: EventRecord[] = [];
  const jobs: Job[] = [];
  const notifications: NotificationDetail[] = [];
  const mails: MailDetail[] = [];
  const inbox: InboxItem[] = [];
  const submissions: Submission[] = [];
  const traces = new Map<string, Trace>();
  let sequence = 41_022;
  const workflowId = r.id("wf");

  const event = (type: string, at: number, subject: string, actor: string, trace_id: string, cause: string | null, data: Record<string, Json>): EventRecord => {
    const made: EventRecord = { object: "event", id: r.id("evt"), type, version: 1, created_at: iso(at), subject, tenant_id: tenants[0]?.id ?? "", partition: r.below(64), sequence: sequence++, actor, trace_id, causation_id: cause, data };
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
    const submission = submitted({ name, email, topic: r.pick(["work", "question", "other"]), message, copy: r.next() > 0.5 }, form, at + 9, visitor, trace_id);
    const client_ip = `203.0.113.${r.below(250)}`;
    submissions.push(submission);
    const request = span(null, "request", "POST /contact", 0, 14, "ok", { request_id: r.id("req"), status: 303, method: "POST", path: "/contact", client_ip });
    const command = span(request, "command", "submit_form", 3, 8, "ok", { form_id: form.id, form_version: 3, rows: 3, events: 1, commit_ms: 4.1, units_in_commit: 2 });
    const completed = event("forms.submission.completed", at + 10, submission.id, visitor, trace_id, null, { submission_id: submission.id, form_id: form.id, form_key: "contact", form_version: 3 });
    const completedSpan = span(command, "event", "forms.submission.completed", 10, 1, "ok", { event_id: completed.id, partition: completed.partition, sequence: completed.sequence });
    const workflow = span(completedSpan, "consumer", "notify.workflows", 16, 7, "ok", { consumer: "notify.workflows", workflow: "contact-received", jobs: 2 });
    span(completedSpan, "consumer", "realtime.operations", 15, 2, "ok", { consumer: "realtime.operations" });

    const inApp: InboxItem = { object: "inbox_item", id: r.id("inb"), title: `New message from ${name}`, body: message, url: `/console/submissions/${submission.id}`, trace_id, notification_id: r.id("ntf"), created_at: iso(at + 40), read_at: at < now - 120 * MINUTE ? iso(at + 30 * MINUTE) : null };
    inbox.push(inApp);
    const inJobId = r.id("job");
    const inJob = span(workflow, "job", "notify.deliver_in_app", 23, 20, "ok", { job_id: inJobId, queue: "notify" });
    const inAttempt = span(inJob, "attempt", "notify.deliver_in_app", 33, 6, "ok", { attempt: 1, worker: "w1", inbox_item_id: inApp.id });
    span(inAttempt, "publication", `inbox:#${me.id.slice(0, 10)}…`, 40, 1, "ok", { channel: `inbox:#${me.id}`, subscribers: 1, bytes: 412 });
    const attemptOf = (number: number, from: number, to: number | null, outcome: string | null, error: string | null) => ({ id: r.id("att"), number, node: `node-${1 + r.below(2)}`, started_at: iso(at + from), ended_at: to === null ? null : iso(at + to), outcome: outcome ?? "running", error });
    const jobOf = (id: string, queue: string, kind: string, state: Job["state"], attempt_log: Job["attempts"], max_attempts: number, payload: Job["payload"]): Job => ({ object: "job", id, queue, kind, state, payload, destination: queue === "email" ? "smtp:mx.northwind.example" : null, ordering_key: null, run_at: attempt_log.at(-1)?.started_at ?? iso(at + 23), attempt: attempt_log.length, max_attempts, expires_at: null, cancel_requested: false, result: null, last_error: attempt_log.filter((a) => a.error).at(-1)?.error ?? null, trace_id, causation_id: completed.id, created_at: iso(at + 23), updated_at: iso(at + 40), finished_at: attempt_log.at(-1)?.ended_at ?? null, attempts: attempt_log });
    const notificationOf = (id: string, channel: "email" | "in_app", recipient: string, state: string, job_id: string, attempts: Job["attempts"], content: NotificationDetail["content"]): NotificationDetail => ({ object: "notification", id, workflow_id: workflowId, workflow_rev: 2, step_id: channel === "email" ? "mail-the-team" : "tell-the-members", event_id: completed.id, channel, recipient, state, provider: channel === "email" ? "mx.northwind.example" : "inbox", last_error: attempts.at(-1)?.error ?? null, job_id, trace_id, created_at: iso(at + 20), updated_at: attempts.at(-1)?.ended_at ?? iso(at + 40), sent_at: state === "sent" ? (attempts.at(-1)?.ended_at ?? null) : null, content, job_state: null, attempts: attempts.map((a) => ({ ...a, finished_at: a.ended_at, outcome: a.ended_at === null ? null : a.outcome })) });
    const inAttempts = [attemptOf(1, 33, 39, "done", null)];
    jobs.push(jobOf(inJobId, "notify", "notify.deliver_in_app", "done", inAttempts, 8, { inbox_item_id: inApp.id }));
    notifications.push(notificationOf(inApp.notification_id, "in_app", `member:${me.id}`, "sent", inJobId, inAttempts, { channel: "in_app", title: inApp.title, body: message, url: inApp.url }));

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
      const attempt = span(jobSpan, "attempt", "notify.send_email", line.from, line.to === null ? null : line.to - line.from, line.to === null ? "running" : line.error ? "error" : "ok", { attempt: i + 1, worker: `w${1 + r.below(3)}`, provider: "smtp", ...(line.error ? { error: line.error, retry: fate === "retry" } : {}) });
      if (i === lines.length - 1 && fate !== "dead" && line.to !== null) {
        const sent = event("notify.notification.delivered", at + line.to, jobId, "system:notify", trace_id, completed.id, { notification_id: inApp.notification_id, channel: "email", attempt: i + 1 });
        span(attempt, "event", "notify.notification.delivered", line.to, 1, "ok", { event_id: sent.id });
      }
    });
    if (fate === "dead") event("notify.notification.dead", at + (last.to ?? 0), jobId, "system:notify", trace_id, completed.id, { notification_id: inApp.notification_id, channel: "email", attempts: lines.length });
    const emailNotification = r.id("ntf");
    const attempts = lines.map((line, i) => attemptOf(i + 1, line.from, line.to, line.to === null ? null : line.error ? (fate === "dead" && i === lines.length - 1 ? "dead" : "retry") : "done", line.error));
    jobs.push(jobOf(jobId, "email", "notify.send_email", fate === "dead" ? "dead" : fate === "running" ? "running" : "done", attempts, 5, { notification_id: emailNotification, to: "team@northwind.example" }));
    const text = `${name} wrote through the contact form:\n\n${message}\n\nAnswer: ${email}\n`;
    notifications.push(notificationOf(emailNotification, "email", "address:team@northwind.example", fate === "dead" ? "failed" : fate === "running" ? "pending" : "sent", jobId, attempts, { channel: "email", subject, text }));
    if (fate === "ok") {
      const html = `<html><body style="margin:0;font-family:Georgia,serif;color:#222;line-height:1.6"><table width="100%" cellpadding="0" style="max-width:560px"><tr><td style="padding:8px 0 20px"><strong style="font-size:18px">${name}</strong><br><a href="mailto:${email}" style="color:#0f6b5c">${email}</a></td></tr><tr><td style="border-left:3px solid #0f6b5c;padding:4px 0 4px 16px">${message}</td></tr><tr><td style="padding:24px 0 0;font-size:13px;color:#666">Sent by Plinth because the form “Contact” was completed. <a href="https://northwind.example/console" style="color:#666">Open in the console</a></td></tr></table><script>alert(1)</script><img src="http://tracker.example/x.gif" onerror="alert(2)"></body></html>`;
      const headers = [["From", "Northwind <hello@northwind.example>"], ["To", "team@northwind.example"], ["Subject", subject], ["Date", new Date(at).toUTCString()], ["Message-ID", `<${mailId}@northwind.example>`], ["MIME-Version", "1.0"], ["Content-Type", 'multipart/alternative; boundary="b1"']].map(([n, v]) => ({ name: n as string, value: v as string }));
      const raw = `${headers.map((h) => `${h.name}: ${h.value}`).join("\r\n")}\r\n\r\n--b1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${text}\r\n--b1\r\nContent-Type: text/html; charset=utf-8\r\n\r\n${html}\r\n--b1--\r\n`;
      mails.push({ object: "mail", id: mailId, from: "Northwind <hello@northwind.example>", to: "team@northwind.example", subject, notification_id: emailNotification, trace_id, created_at: iso(at + 300), text, html, raw });
    }
    const end = Math.max(...spans.map((s) => (s.ended_at ? Date.parse(s.ended_at) : now)));
    traces.set(trace_id, { object: "trace", trace_id, started_at: iso(at), duration_ms: end - at, spans });
  }

  const ages = [0.4, 7, 19, 64, 150, 260, 420, 900, 1500, 2300, 3100, 4400, 5600, 7000, 8800];
  ages.forEach((age, i) => story(now - age * MINUTE, PEOPLE[i % PEOPLE.length] as (typeof PEOPLE)[number], i === 0 ? "running" : i === 1 || i === 6 ? "retry" : i === 3 || i === 8 ? "dead" : "ok"));
  for (let i = 0; i < 70; i += 1) {
    const at = now - (10_000 + i * 97) * MINUTE;
    const [name, email, message] = r.pick(PEOPLE);
    const of = forms[i % 4 === 0 ? 1 : 0] ?? form;
    submissions.push(submitted(i % 4 === 0 ? { email, company: "Acme", reference: "PL2041" } : { name, email, message }, of, at, `visitor:${r.hex(12)}`, r.hex(32)));
  }
  const lone = (queue: string, kind: string, state: Job["state"], from: number, due: number, last_error: string | null): Job => ({ object: "job", id: r.id("job"), queue, kind, state, payload: {}, destination: null, ordering_key: null, run_at: iso(now + due * MINUTE), attempt: last_error ? 2 : 0, max_attempts: 5, expires_at: null, cancel_requested: false, result: null, last_error, trace_id: r.hex(32), causation_id: null, created_at: iso(now - from * MINUTE), updated_at: iso(now - from * MINUTE), finished_at: state === "cancelled" ? iso(now - 190 * MINUTE) : null, attempts: [] });
  jobs.push(lone("email", "notify.send_email", "retrying", 3, 4, "421 4.3.2 Service not available, closing transmission channel"), lone("housekeeping", "api.sweep_idempotency_keys", "scheduled", 38, 22, null), lone("email", "notify.send_email", "cancelled", 220, -200, null));
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
    return { object: "request", id, created_at: iso(at), method, path, operation, status: failure?.[0] ?? (method === "POST" ? 201 : 200), problem: failure && { code: failure[1], detail: failure[3] }, idempotency_key: method === "GET" ? null : r.hex(32), duration_ms: Math.round(40 + r.next() * 600 + (i % 31 === 5 ? 140_000 : 0)) / 100, actor: r.pick([`member:${me.id}`, `key:${r.id("key")}`, "visitor:4be1c02af91d", "anonymous"]), trace_id: [...traces.keys()][i % traces.size] ?? r.hex(32), span_id: r.hex(16), client_ip: `198.51.100.${r.below(250)}`, user_agent: r.pick(["Mozilla/5.0 (Macintosh; Intel Mac OS X 15_4)", "plinth-typescript/0.1.0", "curl/8.9.1"]), client_request_id: null, version: "2026-11-01" };
  }

  const keys: ApiKey[] = (
    [
      ["Billing service", "secret", "active", ["forms:submissions:read", "forms:forms:read", "notify:notifications:read", "flow:events:read"], 30, 0.2],
      ["Website", "publishable", "active", ["assistant:chat:write", "forms:published:read", "forms:submissions:create", "realtime:connections:create"], 40, 0.8],
      ["Warehouse export", "secret", "retiring", ["forms:submissions:read"], 90, 3],
      ["Raj’s laptop", "personal", "active", ["*"], 3, null],
      ["Old staging", "secret", "revoked", ["*"], 200, 144_000],
    ] as const
  ).map(([name, kind, status, scopes, made, used]) => ({ object: "api_key", id: r.id("key"), kind, name, status, hint: `plk_live_${r.hex(12)}_…${r.hex(4)}`, last4: "x7Qz", scopes: [...scopes], allowed_ips: [], allowed_origins: [], version: "2026-11-01", member_id: null, created_by: `member:${me.id}`, predecessor_id: null, successor_id: null, expires_at: null, retires_at: status === "retiring" ? iso(now + 17 * 60 * MINUTE) : null, revoked_at: null, last_used_at: used === null ? null : iso(now - used * MINUTE), rev: 1, created_at: days(made), updated_at: days(made) }));
  const audit: AuditEntry[] = (
    [
      ["identity.key.rotated", keys[2]?.id, 6], ["forms.form.published", form.id, 95], ["identity.member.invited", members[4]?.id, 300], ["identity.session.opened", me.id, 320], ["identity.key.created", keys[3]?.id, 4300], ["identity.member.role_changed", members[2]?.id, 9000], ["identity.key.revoked", keys[4]?.id, 14_000], ["identity.tenant.renamed", tenants[0]?.id, 20_000], ["identity.tenant.created", tenants[0]?.id, 59_000],
    ] as const
  ).map(([action, target, age], i) => ({ object: "audit_entry", id: r.id("aud"), sequence: 9 - i, created_at: iso(now - age * MINUTE), actor: `member:${members[i % 2]?.id ?? me.id}`, action, target: target ?? "", before_digest: i % 2 ? r.hex(64) : null, after_digest: r.hex(64), request_id: r.id("req"), ip: "198.51.100.23", hash: r.hex(64) }));

  const passages = [
    ["systems.flow.problem", "Systems › Durable jobs › Problem", "/systems/flow#problem"], ["systems.flow.scalability", "Systems › Durable jobs › Scalability", "/systems/flow#scalability"], ["notes.leases", "Notes › Leases and fencing tokens", "/notes/leases"], ["skills.postgresql", "Skills › PostgreSQL", "/skills#postgresql"], ["experience.northwind", "Experience › Northwind", "/experience#northwind"],
  ] as const;
  const conversations: ConversationDetail[] = Array.from({ length: 9 }, (_, i) => {
    const at = now - (14 + i * 173) * MINUTE;
    const [question, answer, grounded] = (
      [
        ["How does he keep jobs fair between tenants?", "Each tenant has its own queue, and workers take from them by deficit round robin, so one tenant's burst waits behind itself and nobody else [1]. Attempts hold a lease with a deadline and a fencing token; a worker that comes back late finds its token refused [2].", true],
        ["Which databases has he run in production?", "PostgreSQL since version 9.4, with logical replication and online migrations on tables of several hundred million rows [1].", true],
        ["What is his favourite colour?", "The site does not say. You can ask through the contact form.", false],
      ] as const
    )[i % 3] as readonly [string, string, boolean];
    const run_id = r.id("run");
    const used = !grounded ? [] : i % 3 === 0 ? [passages[1], passages[2]] : [passages[3]];
    const message = (role: string, text: string, ms: number) => ({ object: "message" as const, id: r.id("msg"), role, text, run_id: role === "user" ? null : run_id, sources: [] as ConversationDetail["messages"][number]["sources"], grounded, refused: !grounded && role !== "user", finish_reason: "stop", failure: null, degraded: null, rating: null as number | null, reason: null, parts: [], citations: [], suggestions: [], created_at: iso(at + ms) });
    return {
      object: "conversation", id: r.id("cnv"), external_id: null, title: question, owner: `visitor:${r.hex(12)}`, message_count: 2, created_at: iso(at), updated_at: iso(at + 9_000),
      messages: [message("user", question, 0), { ...message("assistant", answer, 400), rating: i === 0 ? 1 : null, sources: used.map((p, n) => ({ n: n + 1, source_id: p[0], title: p[1], url: p[2], quote: "A worker takes from the tenant whose deficit is largest, and pays for what it took." })) }],
      runs: [{ object: "run", id: run_id, state: grounded ? "done" : "refused", provider: "extractive", model: "extractive", content_version: r.hex(16), intent: "open", retrieval: { passages: passages.slice(0, grounded ? 5 : 2).map((p, j) => ({ id: p[0], score: Math.round((11.4 / (1 + j * 0.7)) * 100) / 100 })), coverage: 0.83 }, input_tokens: 0, output_tokens: 0, cost_micros: 0, ttft_ms: 11 + i, total_ms: 420 + i * 13, failure: null, trace_id: r.hex(32), created_at: iso(at), finished_at: iso(at + 420) }],
    };
  });

  const parked: ParkedEvent[] = [{ object: "parked_event", id: r.id("evt"), event_id: events[3]?.id ?? "", event_type: "forms.submission.completed", subject: submissions[3]?.id ?? "", state: "parked", consumer: "notify.workflows", attempts: 8, error: "workflow contact-received: template field ‘company’ is not in version 2 of the form", parked_at: iso(now - 75 * MINUTE), trace_id: r.hex(32) }];
  const schedules: Schedule[] = [
    { object: "schedule", id: r.id("sch"), name: "api.sweep_idempotency_keys", queue: "housekeeping", kind: "api.sweep_idempotency_keys", cron: "0 * * * *", timezone: "UTC", enabled: true, last_job_id: null, next_run_at: iso(now + 22 * MINUTE), last_run_at: iso(now - 38 * MINUTE), fired: 981, created_at: days(41), updated_at: days(0) },
    { object: "schedule", id: r.id("sch"), name: "flow.sweep_finished_jobs", queue: "housekeeping", kind: "flow.sweep", cron: "30 3 * * *", timezone: "Europe/Berlin", enabled: true, last_job_id: null, next_run_at: iso(now + 600 * MINUTE), last_run_at: iso(now - 840 * MINUTE), fired: 41, created_at: days(41), updated_at: days(0) },
  ];
  const limits: Limits = {
    object: "limits",
    versions: ["2026-06-01", "2026-11-01"],
    rates: [{ policy: "burst", quota: 50, window_ms: 1000, description: "Each key" }, { policy: "tenant", quota: 600, window_ms: 60_000, description: "All keys of the tenant together" }],
    limits: [
      { name: "request_body", value: 1_048_576, unit: "bytes", description: "JSON bodies" },
      { name: "form_submission", value: 262_144, unit: "bytes", description: "One submission" }, { name: "form_fields", value: 200, unit: "fields", description: "In one definition" }, { name: "idempotency_retention", value: 86_400, unit: "seconds", description: "How long an answer is kept for its key" },
      { name: "realtime_connections", value: 10_000, unit: "sockets", description: "At one time" }, { name: "write_timeout", value: 15_000, unit: "ms", description: "From first byte to answer" },
    ],
  };
  const issuers: TokenIssuer[] = [{ object: "token_issuer", id: r.id("iss"), name: "Northwind sign-in", issuer: "https://id.northwind.example", jwks_url: "https://id.northwind.example/.well-known/jwks.json", scopes: ["forms:submissions:create", "realtime:connections:create"], rev: 1, created_at: days(20), updated_at: days(20) }];
  const readiness: Readiness = { status: "ready", version: "0.1.0", checks: [{ name: "store", status: "ok", detail: "SQLite, 41 MiB, last commit 3 ms" }, { name: "events", status: "ok", detail: "64 partitions, all level" }, { name: "jobs", status: "ok", detail: "4 workers" }, { name: "mail", status: "ok", detail: "file outbox: no mail server is configured" }, { name: "content", status: "ok", detail: "38 pages, 412 passages" }] };

  const invites: Invite[] = (
    [
      ["mei@northwind.example", "developer", "open", 0.2, 7],
      ["external.auditor.with.a.long.name@consultancy.example", "viewer", "open", 5, 2],
      ["jonas@northwind.example", "developer", "accepted", 13, -6],
      ["old@northwind.example", "admin", "expired", 30, -23],
    ] as const
  ).map(([email, role, status, made, ends], i) => ({ object: "invite", id: r.id("inv"), email, role, status, invited_by: `member:${members[i % 2]?.id ?? me.id}`, expires_at: days(-ends), accepted_at: status === "accepted" ? days(made - 1) : null, created_at: days(made) }));
  const workflows: Workflow[] = (
    [
      ["contact", "Contact message to the team", 0, true, 9],
      ["handover", "Visitor asks for a person", 2, true, 20],
      [null, "Answers to the desk", 1, false, 33],
      [null, "Somebody joined", 3, true, 40],
    ] as const
  ).map(([external_id, name, template, enabled, changed], i) => ({ object: "workflow", id: i === 0 ? workflowId : r.id("wf"), external_id, name, enabled, trigger: structuredClone(TEMPLATES[template]?.definition.trigger ?? { event: "" }), steps: structuredClone(TEMPLATES[template]?.definition.steps ?? []), rev: i === 0 ? 2 : 1, created_at: days(41), updated_at: days(changed) }));

  const byTime = <T extends { created_at: string }>(rows: T[]) => rows.sort((a, b) => b.created_at.localeCompare(a.created_at));
  return { session, members, forms, drafts, versions, events: byTime(events), jobs: byTime(jobs), notifications: byTime(notifications), mails: byTime(mails), inbox: byTime(inbox), submissions: byTime(submissions), traces, requests, keys, audit, conversations, parked, invites, workflows, schedules, limits, issuers, readiness, story, byTime };
}

export type World = ReturnType<typeof makeWorld>;

export function overviewOf(world: World, now: number): Overview {
  const wave = (i: number, at: number) => 14 + 6 * Math.sin(at / 41_000) + 3 * Math.sin(at / 7_000 + i) + ((at / 1000) % 97 < 4 ? 9 : 0);
  const times = Array.from({ length: 60 }, (_, i) => now - (59 - i) * 60_000);
  const per_second = wave(0, now);
  return {
    object: "overview", at: iso(now), version: "0.1.0", uptime_seconds: 5 * 86_400 + 3_720, engine: "sqlite",
    requests: {
      per_second, error_ratio: 0.0042, p50_ms: 0.81, p99_ms: 6.2 + Math.sin(now / 5_000),
      series: times.map((at) => ({ at: iso(at), value: wave(0, at / 9) })),
      error_series: times.map((at) => ({ at: iso(at), value: Math.floor(at / 60_000) % 17 === 0 ? 0.5 : 0 })),
      p99_series: times.map((at) => ({ at: iso(at), value: 6.2 + Math.sin(at / 400_000) + (Math.floor(at / 60_000) % 19 === 0 ? 5 : 0) })),
    },
    submissions: { today: 12, yesterday: 31, series: [] },
    jobs: { due: world.jobs.filter((j) => j.state === "ready" || j.state === "retrying").length + Math.floor(2 + 2 * Math.sin(now / 9_000)), running: 1 + (Math.floor(now / 4000) % 2), dead: world.jobs.filter((j) => j.state === "dead").length, oldest_due_ms: 1_800 },
    events: { lag: Math.floor(now / 2000) % 5 === 0 ? 2 : 0, lag_ms: 14, parked: world.parked.length, per_second: 1.4 },
    store: { commit_p50_ms: 2.4, commit_p99_ms: 4.1 + Math.sin(now / 6_000), units_per_commit: 3.2, queue: 0 },
    realtime: { connections: 43, channels: 12 },
    deliveries: { today: 24, failed_today: 1 },
  };
}
