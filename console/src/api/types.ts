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
  mode: "live" | "test";
  rev: number;
  created_at: string;
  updated_at: string;
}

export type Role = "owner" | "admin" | "developer" | "viewer";

export interface Member {
  object: "member";
  id: string;
  email: string;
  name: string;
  role: Role;
  status: "active" | "invited";
  created_at: string;
  last_seen_at: string | null;
}

export interface Session {
  object: "session";
  id: string;
  member: Member;
  tenant: Tenant;
  tenants: Tenant[];
  expires_at: string;
}

export interface Invite {
  object: "invite";
  id: string;
  email: string;
  role: Role;
  url: string;
  expires_at: string;
}

export type KeyKind = "secret" | "publishable" | "personal";

export interface ApiKey {
  object: "api_key";
  id: string;
  name: string;
  kind: KeyKind;
  prefix: string;
  scopes: string[];
  status: "active" | "rotating" | "expired" | "revoked";
  created_at: string;
  last_used_at: string | null;
  expires_at: string | null;
}

export interface ApiKeyWithSecret extends ApiKey {
  secret: string;
}

export interface AuditEntry {
  object: "audit_entry";
  id: string;
  created_at: string;
  actor: string;
  action: string;
  target: string | null;
  request_id: string | null;
  client_ip: string | null;
  details: Record<string, Json>;
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
  actor: string;
  trace_id: string;
  causation_id: string | null;
  data: Record<string, Json>;
}

export type JobState = "due" | "running" | "succeeded" | "dead" | "cancelled";

export interface JobAttempt {
  id: string;
  number: number;
  started_at: string;
  ended_at: string | null;
  outcome: string;
  error: string | null;
}

export interface Job {
  object: "job";
  id: string;
  queue: string;
  kind: string;
  state: JobState;
  attempt: number;
  max_attempts: number;
  run_at: string;
  created_at: string;
  finished_at: string | null;
  last_error: string | null;
  destination: string | null;
  ordering_key: string | null;
  trace_id: string;
  payload: Record<string, Json>;
  attempts: JobAttempt[];
}

export interface ParkedEvent {
  object: "parked_event";
  id: string;
  event_id: string;
  event_type: string;
  consumer: string;
  attempts: number;
  error: string;
  parked_at: string;
  trace_id: string;
}

export interface Schedule {
  object: "schedule";
  id: string;
  name: string;
  cron: string;
  timezone: string;
  enabled: boolean;
  next_run_at: string | null;
  last_run_at: string | null;
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
  created_at: string;
  method: string;
  path: string;
  operation: string | null;
  status: number;
  duration_ms: number;
  actor: string;
  trace_id: string;
  client_ip: string | null;
  user_agent: string | null;
  client_request_id: string | null;
  idempotency_key: string | null;
  version: string | null;
  problem: ProblemBody | null;
}

export type FieldKind = "text" | "long_text" | "email" | "choice" | "checkbox";

export interface FormField {
  key: string;
  kind: FieldKind;
  label: string;
  help?: string;
  required?: boolean;
  min_length?: number | null;
  max_length?: number | null;
  pattern?: string | null;
  options?: { value: string; label: string }[];
}

export interface FormDefinition {
  title: string;
  description?: string;
  submit_label?: string;
  thank_you?: string;
  fields: FormField[];
}

export interface Form {
  object: "form";
  id: string;
  key: string;
  title: string;
  status: "draft" | "published" | "changed";
  published_version: number | null;
  draft: FormDefinition;
  rev: number;
  created_at: string;
  updated_at: string;
}

export interface FormVersion {
  object: "form_version";
  id: string;
  form_id: string;
  number: number;
  definition: FormDefinition;
  published_by: string;
  created_at: string;
}

export interface Submission {
  object: "submission";
  id: string;
  form_id: string;
  form_title: string;
  form_version: number;
  values: Record<string, Json>;
  actor: string;
  client_ip: string | null;
  trace_id: string;
  created_at: string;
}

export interface NotificationAttempt {
  id: string;
  number: number;
  started_at: string;
  ended_at: string | null;
  outcome: "ok" | "error" | "running";
  provider: string;
  response: string | null;
  error: string | null;
}

export interface Notification {
  object: "notification";
  id: string;
  workflow: string;
  channel: "email" | "in_app";
  status: "queued" | "sending" | "delivered" | "failed" | "dead";
  recipient: string;
  subject: string;
  created_at: string;
  updated_at: string;
  event_id: string | null;
  job_id: string | null;
  mail_id: string | null;
  trace_id: string;
  last_error: string | null;
  attempts: NotificationAttempt[];
}

export interface InboxItem {
  object: "inbox_item";
  id: string;
  title: string;
  body: string;
  link: string | null;
  trace_id: string;
  notification_id: string | null;
  created_at: string;
  read_at: string | null;
}

export interface Mail {
  object: "mail";
  id: string;
  from: string;
  to: string[];
  subject: string;
  size_bytes: number;
  notification_id: string | null;
  trace_id: string;
  created_at: string;
  text: string | null;
  html: string | null;
  raw: string;
  headers: { name: string; value: string }[];
}

export interface RetrievedPassage {
  passage_id: string;
  path: string;
  url: string;
  score: number;
  used: boolean;
}

export interface Citation {
  n: number;
  title: string;
  url: string;
  quote: string;
}

export interface Message {
  id: string;
  role: "user" | "assistant";
  text: string;
  created_at: string;
  status: "complete" | "stopped" | "error" | "streaming";
  citations: Citation[];
  rating: number | null;
  run: Run | null;
}

export interface Run {
  id: string;
  provider: string;
  grounded: boolean;
  refused: boolean;
  ttft_ms: number | null;
  total_ms: number | null;
  input_tokens: number;
  output_tokens: number;
  trace_id: string;
  retrieved: RetrievedPassage[];
}

export interface Conversation {
  object: "conversation";
  id: string;
  title: string;
  visitor: string;
  page: string | null;
  message_count: number;
  grounded: boolean;
  created_at: string;
  updated_at: string;
  messages: Message[];
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

export interface Limits {
  object: "limits";
  limits: Limit[];
}

export interface TokenIssuer {
  object: "token_issuer";
  id: string;
  issuer: string;
  jwks_url: string;
  audience: string;
  created_at: string;
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
  "/v1/api-keys": Many<ApiKey> & Create<ApiKeyWithSecret, { name: string; kind: KeyKind; scopes: string[] }>;
  "/v1/api-keys/{id}": One<ApiKey> & Remove;
  "/v1/api-keys/{id}/rotate": Act<ApiKeyWithSecret, { overlap_seconds: number }>;
  "/v1/members": Many<Member> & Create<Invite, { email: string; role: Role }>;
  "/v1/members/{id}": Change<Member, { role: Role }> & Remove;
  "/v1/tenant": Read<Tenant> & { patch: Parameters<never, NoPath, { "If-Match"?: string }> & Body<{ name: string }> & Answer<Tenant> };
  "/v1/token-issuers": Many<TokenIssuer> & Create<TokenIssuer, { issuer: string; jwks_url: string; audience: string }>;
  "/v1/token-issuers/{id}": Remove;
  "/v1/audit-entries": Many<AuditEntry, { actor?: string; action?: string }>;
  "/v1/events": Many<EventRecord, { type?: string; subject?: string }>;
  "/v1/events/{id}": One<EventRecord>;
  "/v1/jobs": Many<Job, { state?: JobState; queue?: string; kind?: string }>;
  "/v1/jobs/{id}": One<Job>;
  "/v1/jobs/{id}/replay": Act<Job>;
  "/v1/jobs/{id}/cancel": Act<Job>;
  "/v1/jobs/replay-dead": Create<{ replayed: number }, { queue?: string }>;
  "/v1/parked-events": Many<ParkedEvent>;
  "/v1/parked-events/{id}/replay": Act<ParkedEvent>;
  "/v1/schedules": Many<Schedule>;
  "/v1/traces/{trace_id}": { get: Parameters<never, { trace_id: string }> & Answer<Trace> };
  "/v1/requests": Many<RequestRecord, { status?: string; operation?: string; q?: string }>;
  "/v1/requests/{id}": One<RequestRecord>;
  "/v1/limits": Read<Limits>;
  "/v1/forms": Many<Form> & Create<Form, { key: string; definition: FormDefinition }>;
  "/v1/forms/{id}": One<Form> & Remove;
  "/v1/forms/{id}/draft": { put: Parameters<never, { id: string }, { "If-Match"?: string }> & Body<FormDefinition> & Answer<Form> };
  "/v1/forms/{id}/publish": { post: Parameters<never, { id: string }, { "If-Match"?: string }> & Answer<FormVersion> };
  "/v1/forms/{id}/versions": { get: Parameters<PageQuery, { id: string }> & Answer<List<FormVersion>> };
  "/v1/submissions": Many<Submission, { form_id?: string; q?: string }>;
  "/v1/submissions/{id}": One<Submission> & Remove;
  "/v1/notifications": Many<Notification, { status?: string; channel?: string }>;
  "/v1/notifications/{id}": One<Notification>;
  "/v1/notifications/{id}/replay": Act<Notification>;
  "/v1/inbox": Many<InboxItem, { unread?: boolean }>;
  "/v1/inbox/summary": Read<{ unread: number }>;
  "/v1/inbox/{id}/read": Act<InboxItem>;
  "/v1/inbox/read-all": { post: Parameters<never, NoPath> & Answer<{ read: number }> };
  "/v1/mails": Many<Mail>;
  "/v1/mails/{id}": One<Mail>;
  "/v1/assistant/conversations": Many<Conversation>;
  "/v1/assistant/conversations/{id}": One<Conversation>;
  "/v1/realtime/token": { post: Parameters<never, NoPath> & Answer<{ token: string; channels: string[] }> };
  "/v1/overview": Read<Overview>;
}
