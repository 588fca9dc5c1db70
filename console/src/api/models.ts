/** The contract's types by the names the screens use. They are generated; this is the one place that knows what they are called there. */
import type { components } from "./schema";

type Schemas = components["schemas"];

/** A page of a list. The contract has one such schema for each resource; this is their common shape. */
export interface List<T> {
  object: string;
  data: T[];
  has_more: boolean;
  next_cursor?: string | null;
}

export type FieldError = Schemas["FieldError"];
/** A problem as it is shown. Some are made here, when no answer came or it was none of ours: so only the core is sure to be there. */
export type ProblemBody = Pick<Schemas["Problem"], "title" | "status" | "code"> & Partial<Schemas["Problem"]>;

export type Session = Schemas["CurrentSession"];
export type Tenant = Schemas["Tenant"];
export type TenantChoice = Schemas["TenantChoice"];
export type Role = Schemas["Role"];
export type Member = Schemas["Member"];
export type Invite = Schemas["Invite"];
export type IssuedInvite = Schemas["NewInviteBody"];
export type KeyKind = Schemas["KeyKind"];
export type ApiKey = Schemas["ApiKey"];
export type IssuedKey = Schemas["NewApiKey"];
export type AuditEntry = Schemas["AuditEntry"];
export type TokenIssuer = Schemas["TokenIssuer"];
export type Limits = Schemas["Limits"];

/** An object whose members the contract leaves open. The generator can only call it empty. */
type Open<T, K extends keyof T> = Omit<T, K> & { [P in K]: Record<string, unknown> };

export type EventRecord = Open<Schemas["Event"], "data">;
export type Job = Open<Schemas["Job"], "payload">;
export const JOB_STATES = ["blocked", "scheduled", "ready", "running", "retrying", "done", "dead", "cancelled"] as const;
export type JobState = (typeof JOB_STATES)[number];
export type ParkedEvent = Schemas["ParkedEvent"];
export type Schedule = Schemas["Schedule"];
export type Span = Open<Schemas["TraceSpan"], "attributes">;
export type Trace = Omit<Schemas["Trace"], "spans"> & { spans: Span[] };
export type RequestRecord = Schemas["Request"];

export type Form = Schemas["Form"];
export type FormDraft = Schemas["FormDraft"];
export type FormVersion = Schemas["FormVersion"];
export type FormDefinition = Schemas["Definition"];
export type FormField = Schemas["FormField"];
export type FieldKind = Schemas["FormFieldType"];
export type Choice = Schemas["FormChoice"];
/** A text in every language it has. */
export type Translations = Record<string, string>;
export type Submission = Schemas["Submission"];

export type Workflow = Schemas["Workflow"];
export type NewWorkflow = Schemas["CreateWorkflow"];
export type WorkflowTrigger = Schemas["WorkflowTrigger"];
export type WorkflowCondition = Schemas["WorkflowCondition"];
export type WorkflowStep = Schemas["WorkflowStep"];
export type WorkflowAudience = Schemas["WorkflowAudience"];

export type Notification = Schemas["Notification"];
export type NotificationDetail = Schemas["NotificationDetail"];
export type InboxItem = Schemas["InboxItem"];
export type Mail = Schemas["Mail"];
export type MailDetail = Schemas["MailDetail"];

export type Conversation = Schemas["ConversationObject"];
export type ConversationDetail = Omit<Schemas["ConversationDetail"], "runs"> & { runs: Run[] };
export type Message = Schemas["MessageObject"];
export type Run = Open<Schemas["RunObject"], "retrieval">;

export type Overview = Schemas["Overview"];
export type Point = Schemas["Point"];

/** Readiness is for load balancers and has no schema in the contract. */
export interface Readiness {
  status?: string;
  version?: string;
  checks?: { name: string; status: string; detail?: string }[];
}
