/**
 * The contract the console is written against: resources, and the paths that serve them in the shape `openapi-fetch` reads.
 * Nothing but `models.ts` and `client.ts` may import this file.
 */

export interface List<T> {
  object: "list";
  data: T[];
  has_more: boolean;
  next_cursor: string | null;
}

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type Metadata = Record<string, string>;

export interface FieldError {
  pointer?: string;
  parameter?: string;
  header?: string;
  code: string;
  detail: string;
  meta?: Json;
}

export interface ProblemBody {
  type?: string;
  title: string;
  status: number;
  detail?: string;
  instance?: string;
  code: string;
  request_id?: string;
  retryable?: boolean;
  errors?: FieldError[];
}

export interface Tenant {
  object: "tenant";
  id: string;
  name: string;
  mode: string;
  organisation_id: string;
  twin_id: string;
  settings: Record<string, Json>;
  allowed_origins: string[];
  rev: number;
  created_at: string;
  updated_at: string;
}

export interface TenantChoice {
  id: string;
  name: string;
  mode: string;
  organisation: string;
  role: string;
}

export type Role = "owner" | "admin" | "developer" | "viewer";

export interface Member {
  object: "member";
  id: string;
  email: string;
  name: string;
  role: Role;
  last_login_at: string | null;
  rev: number;
  created_at: string;
  updated_at: string;
}

export interface Session {
  object: "current_session";
  member: Member;
  role: Role;
  scopes: string[];
  tenant: Tenant;
  tenants: TenantChoice[];
}

export interface Invite {
  object: "invite";
  id: string;
  email: string;
  role: Role;
  status: string;
  invited_by: string;
  expires_at: string;
  accepted_at: string | null;
  created_at: string;
}

export interface IssuedInvite extends Invite {
  url: string;
}

export type KeyKind = "secret" | "publishable" | "personal";

export interface ApiKey {
  object: "api_key";
  id: string;
  kind: KeyKind;
  name: string;
  status: "active" | "retiring" | "expired" | "revoked";
  hint: string;
  last4: string;
  scopes: string[];
  allowed_ips: string[];
  allowed_origins: string[];
  version: string | null;
  member_id: string | null;
  created_by: string;
  predecessor_id: string | null;
  successor_id: string | null;
  expires_at: string | null;
  retires_at: string | null;
  revoked_at: string | null;
  last_used_at: string | null;
  rev: number;
  created_at: string;
  updated_at: string;
}

export interface IssuedKey extends ApiKey {
  secret: string;
}

export interface AuditEntry {
  object: "audit_entry";
  id: string;
  sequence: number;
  created_at: string;
  actor: string;
  action: string;
  target: string;
  before_digest: string | null;
  after_digest: string | null;
  request_id: string | null;
  ip: string | null;
  hash: string;
}

export interface EventRecord {
  object: "event";
  id: string;
  type: string;
  version: number;
  created_at: string;
  subject: string;
  partition: number;
  sequence: number;
  tenant_id: string;
  actor: string;
  trace_id: string;
  causation_id: string | null;
  data: Record<string, Json>;
}

export type JobState = "blocked" | "scheduled" | "ready" | "running" | "retrying" | "done" | "dead" | "cancelled";

export interface JobAttempt {
  id: string;
  number: number;
  node: string;
  started_at: string;
  ended_at: string | null;
  outcome: string;
  error: string | null;
}

export interface DeliveryAttempt {
  id: string;
  number: number;
  started_at: string;
  finished_at: string | null;
  outcome: string | null;
  error: string | null;
}

export interface Job {
  object: "job";
  id: string;
  queue: string;
  kind: string;
  state: JobState;
  payload: Json;
  destination: string | null;
  ordering_key: string | null;
  run_at: string;
  attempt: number;
  max_attempts: number;
  expires_at: string | null;
  attempts: JobAttempt[];
  cancel_requested: boolean;
  result: Json;
  last_error: string | null;
  trace_id: string;
  causation_id: string | null;
  created_at: string;
  updated_at: string;
  finished_at: string | null;
}

export interface ParkedEvent {
  object: "parked_event";
  id: string;
  event_id: string;
  event_type: string;
  consumer: string;
  subject: string;
  state: string;
  attempts: number;
  error: string | null;
  trace_id: string;
  parked_at: string;
}

export interface Schedule {
  object: "schedule";
  id: string;
  name: string;
  queue: string;
  kind: string;
  cron: string | null;
  timezone: string;
  enabled: boolean;
  next_run_at: string | null;
  last_run_at: string | null;
  last_job_id: string | null;
  fired: number;
}

export type SpanKind = "request" | "command" | "event" | "consumer" | "job" | "attempt" | "publication";
export type SpanStatus = "ok" | "error" | "running" | "waiting";

export interface Span {
  id: string;
  parent_id: string | null;
  kind: SpanKind;
  name: string;
  status: SpanStatus;
  started_at: string;
  ended_at: string | null;
  attributes: Record<string, Json>;
}

export interface Trace {
  object: "trace";
  trace_id: string;
  started_at: string;
  duration_ms: number;
  spans: Span[];
}

export interface RequestRecord {
  object: "request";
  id: string;
  operation: string;
  method: string;
  path: string;
  status: number;
  code: string | null;
  duration_us: number;
  trace_id: string;
  span_id: string;
  actor: string;
  ip: string;
  user_agent: string;
  client_request_id: string | null;
  version: string;
  error: string | null;
  created_at: string;
}

export type FieldKind = "text" | "long_text" | "email" | "choice" | "checkbox";

/** A text in every language it has. */
export type Translations = Record<string, string>;

export interface Choice {
  id: string;
  key: string;
  label?: Translations;
}

export interface FormField {
  id: string;
  key: string;
  type: FieldKind;
  label?: Translations;
  help?: Translations;
  required?: boolean;
  min_length?: number | null;
  max_length?: number | null;
  pattern?: string | null;
  pattern_message?: Translations;
  choices?: Choice[];
  autocomplete?: string | null;
}

export interface FormPage {
  id: string;
  title?: Translations;
  items: FormField[];
}

export interface FormDefinition {
  lang: number;
  default_locale?: string;
  title?: Translations;
  description?: Translations;
  pages: FormPage[];
  settings?: { submit_label?: Translations; thank_you?: Translations };
}

export interface Form {
  object: "form";
  id: string;
  external_id: string | null;
  name: string;
  state: string;
  live_version: number | null;
  draft_rev: number;
  rev: number;
  metadata: Metadata;
  created_at: string;
  updated_at: string;
}

export interface FormDraft {
  object: "form_draft";
  form_id: string;
  rev: number;
  definition: FormDefinition;
  faults: FieldError[];
}

export interface FormVersion {
  object: "form_version";
  id: string;
  form_id: string;
  number: number;
  hash: string;
  note: string;
  published_by: string;
  created_at: string;
  definition: FormDefinition;
}

export interface Submission {
  object: "submission";
  id: string;
  form_id: string;
  version: number;
  state: string;
  values: Record<string, Json>;
  fields: { key: string; label: string; type: string; display: string }[];
  actor: string;
  user_agent: string;
  trace_id: string;
  rev: number;
  created_at: string;
  updated_at: string;
}

export interface Notification {
  object: "notification";
  id: string;
  workflow_id: string;
  workflow_rev: number;
  step_id: string;
  event_id: string;
  channel: string;
  recipient: string;
  state: string;
  provider: string | null;
  last_error: string | null;
  job_id: string | null;
  trace_id: string;
  created_at: string;
  updated_at: string;
  sent_at: string | null;
}

export type NotificationContent = { channel: "email"; subject: string; text: string; html?: string | null } | { channel: "in_app"; title: string; body: string; url?: string | null };

export interface NotificationDetail extends Notification {
  content: NotificationContent | null;
  job_state: string | null;
  attempts: DeliveryAttempt[];
}

export interface InboxItem {
  object: "inbox_item";
  id: string;
  notification_id: string;
  title: string;
  body: string;
  url: string | null;
  trace_id: string;
  created_at: string;
  read_at: string | null;
}

export interface Mail {
  object: "mail";
  id: string;
  notification_id: string;
  from: string;
  to: string;
  subject: string;
  trace_id: string;
  created_at: string;
}

export interface MailDetail extends Mail {
  text: string;
  html: string | null;
  raw: string | null;
}

export interface Source {
  n: number;
  source_id: string;
  url: string;
  title: string;
  quote: string;
}

export interface Message {
  object: "message";
  id: string;
  role: string;
  text: string;
  run_id: string | null;
  sources: Source[];
  grounded: boolean;
  refused: boolean;
  finish_reason: string | null;
  failure: string | null;
  degraded: string | null;
  rating: number | null;
  reason: string | null;
  created_at: string;
}

export interface Run {
  object: "run";
  id: string;
  state: string;
  provider: string;
  model: string;
  content_version: string;
  intent: string;
  retrieval: Record<string, Json>;
  input_tokens: number;
  output_tokens: number;
  cost_micros: number;
  ttft_ms: number | null;
  total_ms: number | null;
  failure: string | null;
  trace_id: string;
  created_at: string;
  finished_at: string | null;
}

export interface Conversation {
  object: "conversation";
  id: string;
  external_id: string | null;
  title: string;
  owner: string;
  message_count: number;
  created_at: string;
  updated_at: string;
}

export interface ConversationDetail extends Conversation {
  messages: Message[];
  runs: Run[];
}

export interface Point {
  at: string;
  value: number;
}

export interface Overview {
  object: "overview";
  at: string;
  version: string;
  uptime_seconds: number;
  engine: string;
  requests: { per_second: number; error_ratio: number; p50_ms: number; p99_ms: number; series: Point[]; error_series: Point[]; p99_series: Point[] };
  submissions: { today: number; yesterday: number; series: Point[] };
  jobs: { due: number; running: number; dead: number; oldest_due_ms: number };
  events: { lag: number; lag_ms: number; parked: number; per_second: number };
  store: { commit_p50_ms: number; commit_p99_ms: number; units_per_commit: number; queue: number };
  realtime: { connections: number; channels: number };
  deliveries: { today: number; failed_today: number };
}

export interface Limit {
  name: string;
  value: number;
  unit: string;
  description: string;
}

export interface RateLimit {
  policy: string;
  quota: number;
  window_ms: number;
  description: string;
}

export interface Limits {
  object: "limits";
  rates: RateLimit[];
  limits: Limit[];
  versions: string[];
}

export interface TokenIssuer {
  object: "token_issuer";
  id: string;
  name: string;
  issuer: string;
  jwks_url: string;
  scopes: string[];
  rev: number;
  created_at: string;
  updated_at: string;
}

export interface Readiness {
  status: "ready" | "not_ready";
  version: string;
  checks: { name: string; status: "ok" | "failed"; detail?: string }[];
}

/* ── paths, in openapi-fetch's shape ─────────────────────────────────────────────────────────────────────────────── */

type Answer<T> = { responses: { 200: { headers: Record<string, unknown>; content: { "application/json": T } } } };
type NoAnswer = { responses: { 204: { headers: Record<string, unknown>; content?: never } } };
type NoPath = { none: true };
type Parameters<Query, Path, Header = never> = {
  parameters: { query?: Query; header?: Header; cookie?: never } & (Path extends NoPath ? { path?: never } : { path: Path });
};
type Body<T> = { requestBody: { content: { "application/json": T } } };

type PageQuery = { limit?: number; cursor?: string; order?: "asc" | "desc" };
type One<T> = { get: Parameters<never, { id: string }> & Answer<T> };
type Many<T, Filter = object> = { get: Parameters<PageQuery & Filter, NoPath> & Answer<List<T>> };
type Act<T, B = never> = { post: Parameters<never, { id: string }> & ([B] extends [never] ? unknown : Body<B>) & Answer<T> };
type Create<T, B> = { post: Parameters<never, NoPath> & Body<B> & Answer<T> };
type Change<T, B> = { patch: Parameters<never, { id: string }, { "If-Match"?: string }> & Body<B> & Answer<T> };
type Remove = { delete: Parameters<never, { id: string }> & NoAnswer };
type Read<T> = { get: Parameters<never, NoPath> & Answer<T> };

export interface paths {
  "/v1/setup": Read<{ needed: boolean }> & Create<Session, { token: string; email: string; password: string; name: string; organisation: string }>;
  "/v1/session": Read<Session> & Create<Session, { email: string; password: string }> & { delete: Parameters<never, NoPath> & NoAnswer };
  "/v1/session/tenant": Create<Session, { tenant_id: string }>;
  "/v1/invites/accept": Create<Session, { token: string; password: string; name: string }>;
  "/v1/api-keys": Many<ApiKey> & Create<IssuedKey, { name: string; kind: KeyKind; scopes: string[] }>;
  "/v1/api-keys/{id}": One<ApiKey> & Remove;
  "/v1/api-keys/{id}/rotate": Act<IssuedKey, { overlap_seconds: number }>;
  "/v1/members": Many<Member> & Create<IssuedInvite, { email: string; role: Role }>;
  "/v1/members/{id}": Change<Member, { role: Role }> & Remove;
  "/v1/tenant": Read<Tenant> & { patch: Parameters<never, NoPath, { "If-Match"?: string }> & Body<{ name: string }> & Answer<Tenant> };
  "/v1/token-issuers": Many<TokenIssuer> & Create<TokenIssuer, { name: string; issuer: string; jwks_url: string }>;
  "/v1/token-issuers/{id}": Remove;
  "/v1/audit-entries": Many<AuditEntry, { actor?: string; action?: string }>;
  "/v1/events": Many<EventRecord, { type?: string; subject?: string }>;
  "/v1/events/{id}": One<EventRecord>;
  "/v1/jobs": Many<Job, { state?: JobState; queue?: string; kind?: string }>;
  "/v1/jobs/{id}": One<Job>;
  "/v1/jobs/{id}/replay": Act<Job>;
  "/v1/jobs/{id}/cancel": Act<Job>;
  "/v1/jobs/replay-dead": Create<{ replayed: number; refused: number; has_more: boolean }, { queue?: string }>;
  "/v1/parked-events": Many<ParkedEvent>;
  "/v1/parked-events/{id}/replay": Act<ParkedEvent>;
  "/v1/schedules": Many<Schedule>;
  "/v1/traces/{trace_id}": { get: Parameters<never, { trace_id: string }> & Answer<Trace> };
  "/v1/requests": Many<RequestRecord, { status?: string; operation?: string; q?: string }>;
  "/v1/requests/{id}": One<RequestRecord>;
  "/v1/limits": Read<Limits>;
  "/v1/forms": Many<Form> & Create<Form, { name: string; external_id?: string; definition?: FormDefinition }>;
  "/v1/forms/{id}": One<Form> & Remove;
  "/v1/forms/{id}/draft": One<FormDraft> & { put: Parameters<never, { id: string }, { "If-Match"?: string }> & Body<{ definition: FormDefinition }> & Answer<FormDraft> };
  "/v1/forms/{id}/publish": { post: Parameters<never, { id: string }, { "If-Match"?: string }> & Body<{ note?: string }> & Answer<FormVersion> };
  "/v1/forms/{id}/versions": { get: Parameters<PageQuery, { id: string }> & Answer<List<FormVersion>> };
  "/v1/submissions": Many<Submission, { form_id?: string; q?: string }>;
  "/v1/submissions/{id}": One<Submission> & Remove;
  "/v1/notifications": Many<Notification, { state?: "pending" | "retrying" | "sent" | "failed"; channel?: "email" | "in_app" }>;
  "/v1/notifications/{id}": One<NotificationDetail>;
  "/v1/notifications/{id}/replay": Act<Notification>;
  "/v1/inbox": Many<InboxItem, { unread?: boolean }>;
  "/v1/inbox/summary": Read<{ unread: number }>;
  "/v1/inbox/{id}/read": Act<InboxItem>;
  "/v1/inbox/read-all": { post: Parameters<never, NoPath> & Answer<{ unread: number }> };
  "/v1/mails": Many<Mail>;
  "/v1/mails/{id}": One<MailDetail>;
  "/v1/assistant/conversations": Many<Conversation>;
  "/v1/assistant/conversations/{id}": One<ConversationDetail>;
  "/v1/realtime/token": { post: Parameters<never, NoPath> & Answer<{ token: string; channels: string[] }> };
  "/v1/overview": Read<Overview>;
}
