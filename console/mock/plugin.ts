/** Answers the API inside Vite's own server, so that the console can be worked on alone: `npm run dev:mock`. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Plugin } from "vite";
import { WebSocketServer } from "ws";
import type { FormDefinition, Workflow, WorkflowStep } from "../src/api/models.ts";
import { makeWorld, overviewOf, type World } from "./world.ts";

/** What the executable serves the console with; the mock says the same, so that a violation shows while developing. */
const POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";
const PAGE = 20;

type Handler = (context: { world: World; query: URLSearchParams; params: string[]; body: Record<string, unknown>; ifMatch: string | undefined }) => unknown;

class Refusal {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail: string,
    readonly errors?: unknown[],
  ) {}
}

const missing = (what: string) => new Refusal(404, "not_found", "Not found", `There is no ${what} with this id.`);

function page<T extends { id: string }>(rows: T[], query: URLSearchParams) {
  const limit = Math.min(Number(query.get("limit") ?? PAGE), 100);
  const from = Number(query.get("cursor") ?? 0);
  const more = rows.length > from + limit;
  return { object: "list", data: rows.slice(from, from + limit), has_more: more, next_cursor: more ? String(from + limit) : null };
}

const find = <T extends { id: string }>(rows: T[], id: string | undefined, what: string): T => {
  const row = rows.find((candidate) => candidate.id === id);
  if (!row) throw missing(what);
  return row;
};

const draftOf = (world: World, id: string | undefined) => {
  const form = find(world.forms, id, "form");
  return { object: "form_draft", form_id: form.id, rev: form.draft_rev, definition: world.drafts.get(form.id) as FormDefinition, faults: [] };
};

/** A few of the server's rules, so that the editor has something to show. */
function checkWorkflow({ trigger, steps }: Workflow) {
  const errors: { pointer: string; code: string; detail: string }[] = [];
  if (!trigger.event?.includes(".") || trigger.event.startsWith("notify.")) errors.push({ pointer: "/trigger/event", code: "invalid_value", detail: "The kind of an event such as `forms.submission.completed`, not one of `notify.`." });
  if (steps.length === 0) errors.push({ pointer: "/steps", code: "out_of_range", detail: "From 1 to 30 steps." });
  const seen = new Set<string>();
  steps.forEach((step: WorkflowStep, i) => {
    if (!/^[\w-]{1,64}$/.test(step.id ?? "") || seen.has(step.id)) errors.push({ pointer: `/steps/${i}/id`, code: "invalid_id", detail: "1 to 64 letters, digits, `_` or `-`, unique in the workflow." });
    seen.add(step.id);
  });
  if (errors.length > 0) throw new Refusal(422, "validation_failed", "Validation failed", `${errors.length} fields do not fit their rules.`, errors);
}

const is = (value: string | null, actual: string) => value === null || value === actual;

const SCOPES = ["forms:forms:read", "forms:forms:write", "forms:submissions:read", "forms:submissions:create", "forms:submissions:delete", "notify:workflows:read", "notify:workflows:write", "notify:notifications:read", "notify:notifications:replay", "assistant:conversations:read", "assistant:chat", "flow:events:read", "flow:jobs:read", "flow:jobs:write", "flow:traces:read", "identity:keys:read", "identity:keys:write", "identity:members:read", "identity:audit:read", "gateway:requests:read"];

const ROUTES: [method: string, path: RegExp, handler: Handler][] = [
  ["GET", /^\/v1\/setup$/, () => ({ needed: false })],
  ["POST", /^\/v1\/setup$/, ({ world }) => world.session],
  ["GET", /^\/v1\/session$/, ({ world }) => world.session],
  ["POST", /^\/v1\/session$/, ({ world, body }) => {
    if (body.password === "wrong") throw new Refusal(401, "unauthenticated", "Not logged in", "No member has this e-mail and password.");
    return world.session;
  }],
  ["DELETE", /^\/v1\/session$/, () => null],
  ["POST", /^\/v1\/session\/tenant$/, ({ world, body }) => Object.assign(world.session, { tenant: { ...world.session.tenant, ...find(world.session.tenants, String(body.tenant_id), "tenant") } })],
  ["POST", /^\/v1\/invites\/accept$/, ({ world }) => world.session],
  ["GET", /^\/v1\/overview$/, ({ world }) => overviewOf(world, Date.now())],
  ["GET", /^\/v1\/api-keys$/, ({ world, query }) => page(world.keys, query)],
  ["POST", /^\/v1\/api-keys$/, ({ world, body }) => {
    const key = { ...world.keys[0], ...body, id: `key_${Date.now()}`, status: "active", hint: "plk_live_n3w0Jx2bT7mQ_…Ue5Gi", created_at: new Date().toISOString(), last_used_at: null } as (typeof world.keys)[number];
    world.keys.unshift(key);
    return { ...key, secret: "plk_live_sk_n3w0_Jx2bT7mQ9vLr4KdWc8YzHs1PfNa6Ue5Gi" };
  }],
  ["POST", /^\/v1\/api-keys\/([^/]+)\/rotate$/, ({ world, params }) => ({ ...find(world.keys, params[0], "key"), secret: "plk_live_sk_r0t8_Jx2bT7mQ9vLr4KdWc8YzHs1PfNa6Ue5Gi" })],
  ["DELETE", /^\/v1\/api-keys\/([^/]+)$/, ({ world, params }) => { find(world.keys, params[0], "key").status = "revoked"; return null; }],
  ["GET", /^\/v1\/members$/, ({ world, query }) => page(world.members, query)],
  ["POST", /^\/v1\/members$/, ({ world, body }) => {
    const made = { object: "invite", id: `inv_${Date.now()}`, email: String(body.email), role: body.role, status: "open", invited_by: `member:${world.session.member.id}`, accepted_at: null, created_at: new Date().toISOString(), expires_at: new Date(Date.now() + 7 * 86_400_000).toISOString() } as (typeof world.invites)[number];
    world.invites.unshift(made);
    return { ...made, url: "/console/#invite=4mX9qT2vKc8LrWz1bYpD7g" };
  }],
  ["GET", /^\/v1\/invites$/, ({ world, query }) => page(world.invites, query)],
  ["DELETE", /^\/v1\/invites\/([^/]+)$/, ({ world, params }) => { find(world.invites, params[0], "invite").status = "revoked"; return null; }],
  ["PATCH", /^\/v1\/members\/([^/]+)$/, ({ world, params, body }) => Object.assign(find(world.members, params[0], "member"), body)],
  ["DELETE", /^\/v1\/members\/([^/]+)$/, ({ world, params }) => { world.members.splice(world.members.findIndex((m) => m.id === params[0]), 1); return null; }],
  ["GET", /^\/v1\/tenant$/, ({ world }) => world.session.tenant],
  ["PATCH", /^\/v1\/tenant$/, ({ world, body }) => Object.assign(world.session.tenant, body)],
  ["GET", /^\/v1\/token-issuers$/, ({ world, query }) => page(world.issuers, query)],
  ["POST", /^\/v1\/token-issuers$/, ({ body }) => { throw new Refusal(422, "validation_failed", "Validation failed", "One field does not fit its rules.", [{ pointer: "/jwks_url", code: "address_forbidden", detail: `${String(body.jwks_url)} leads into a private network.` }]); }],
  ["GET", /^\/v1\/audit-entries$/, ({ world, query }) => page(world.audit.filter((a) => a.action.startsWith(query.get("action") ?? "")), query)],
  ["GET", /^\/v1\/events$/, ({ world, query }) => page(world.events.filter((e) => is(query.get("type"), e.type)), query)],
  ["GET", /^\/v1\/events\/([^/]+)$/, ({ world, params }) => find(world.events, params[0], "event")],
  ["GET", /^\/v1\/jobs$/, ({ world, query }) => page(world.jobs.filter((j) => is(query.get("state"), j.state) && is(query.get("queue"), j.queue)), query)],
  ["POST", /^\/v1\/jobs\/replay-dead$/, ({ world }) => { const dead = world.jobs.filter((j) => j.state === "dead"); for (const j of dead) j.state = "ready"; return { replayed: dead.length, refused: 0, has_more: false }; }],
  ["GET", /^\/v1\/jobs\/([^/]+)$/, ({ world, params }) => find(world.jobs, params[0], "job")],
  ["POST", /^\/v1\/jobs\/([^/]+)\/(replay|cancel)$/, ({ world, params }) => Object.assign(find(world.jobs, params[0], "job"), { state: params[1] === "replay" ? "ready" : "cancelled" })],
  ["GET", /^\/v1\/parked-events$/, ({ world, query }) => page(world.parked, query)],
  ["GET", /^\/v1\/schedules$/, ({ world, query }) => page(world.schedules, query)],
  ["GET", /^\/v1\/traces\/([^/]+)$/, ({ world, params }) => world.traces.get(params[0] ?? "") ?? (() => { throw missing("trace"); })()],
  ["GET", /^\/v1\/requests$/, ({ world, query }) => page(world.requests.filter((q) => (query.get("status") ?? `${String(q.status)[0]}xx`) === `${String(q.status)[0]}xx` && is(query.get("operation"), q.operation ?? "") && `${q.path} ${q.id} ${q.problem?.code ?? ""}`.includes(query.get("q") ?? "")), query)],
  ["GET", /^\/v1\/requests\/([^/]+)$/, ({ world, params }) => find(world.requests, params[0], "request")],
  ["GET", /^\/v1\/limits$/, ({ world }) => world.limits],
  ["GET", /^\/v1\/forms$/, ({ world, query }) => page(world.forms, query)],
  ["POST", /^\/v1\/forms$/, ({ world, body }) => {
    const now = new Date().toISOString();
    const made = { object: "form" as const, id: `frm_${Date.now()}`, external_id: String(body.external_id), name: String(body.name), state: "active", live_version: null, draft_rev: 1, rev: 1, metadata: {}, created_at: now, updated_at: now };
    world.forms.unshift(made);
    world.drafts.set(made.id, body.definition as FormDefinition);
    return made;
  }],
  ["GET", /^\/v1\/forms\/([^/]+)$/, ({ world, params }) => find(world.forms, params[0], "form")],
  ["DELETE", /^\/v1\/forms\/([^/]+)$/, () => null],
  ["GET", /^\/v1\/forms\/([^/]+)\/draft$/, ({ world, params }) => draftOf(world, params[0])],
  ["PUT", /^\/v1\/forms\/([^/]+)\/draft$/, ({ world, params, body }) => {
    const form = find(world.forms, params[0], "form");
    form.draft_rev += 1;
    world.drafts.set(form.id, body.definition as FormDefinition);
    return draftOf(world, form.id);
  }],
  ["POST", /^\/v1\/forms\/([^/]+)\/publish$/, ({ world, params }) => {
    const form = find(world.forms, params[0], "form");
    form.live_version = (form.live_version ?? 0) + 1;
    const version = { object: "form_version" as const, id: `fv_${Date.now()}`, form_id: form.id, number: form.live_version, hash: "", note: "", definition: draftOf(world, form.id).definition, published_by: `member:${world.session.member.id}`, created_at: new Date().toISOString() };
    world.versions.unshift(version);
    return version;
  }],
  ["GET", /^\/v1\/forms\/([^/]+)\/versions$/, ({ world, params, query }) => page(world.versions.filter((v) => v.form_id === params[0]), query)],
  ["GET", /^\/v1\/submissions$/, ({ world, query }) => page(world.submissions.filter((s) => is(query.get("form_id"), s.form_id) && JSON.stringify(s.values).toLowerCase().includes((query.get("q") ?? "").toLowerCase())), query)],
  ["GET", /^\/v1\/submissions\/([^/]+)$/, ({ world, params }) => find(world.submissions, params[0], "submission")],
  ["DELETE", /^\/v1\/submissions\/([^/]+)$/, () => null],
  ["GET", /^\/v1\/workflows$/, ({ world, query }) => page(world.workflows, query)],
  ["POST", /^\/v1\/workflows$/, ({ world, body }) => {
    const now = new Date().toISOString();
    const made = { external_id: null, ...body, object: "workflow", id: `wf_${Date.now()}`, rev: 1, created_at: now, updated_at: now } as Workflow;
    checkWorkflow(made);
    world.workflows.unshift(made);
    return made;
  }],
  ["GET", /^\/v1\/workflows\/([^/]+)$/, ({ world, params }) => find(world.workflows, params[0], "workflow")],
  ["PATCH", /^\/v1\/workflows\/([^/]+)$/, ({ world, params, body, ifMatch }) => {
    const workflow = find(world.workflows, params[0], "workflow");
    if (ifMatch === undefined) throw new Refusal(428, "precondition_required", "Precondition required", "Send If-Match with the ETag of the state that this change was made for.");
    if (ifMatch !== `"${workflow.rev}"`) throw new Refusal(412, "precondition_failed", "Precondition failed", "It has changed since you read it. Read it again and repeat the change with its new ETag.");
    checkWorkflow({ ...workflow, ...body });
    return Object.assign(workflow, body, { rev: workflow.rev + 1, updated_at: new Date().toISOString() });
  }],
  ["DELETE", /^\/v1\/workflows\/([^/]+)$/, ({ world, params }) => { world.workflows.splice(world.workflows.indexOf(find(world.workflows, params[0], "workflow")), 1); return null; }],
  ["GET", /^\/v1\/notifications$/, ({ world, query }) => page(world.notifications.filter((n) => is(query.get("state"), n.state) && is(query.get("channel"), n.channel)), query)],
  ["GET", /^\/v1\/notifications\/([^/]+)$/, ({ world, params }) => find(world.notifications, params[0], "notification")],
  ["POST", /^\/v1\/notifications\/([^/]+)\/replay$/, ({ world, params }) => Object.assign(find(world.notifications, params[0], "notification"), { state: "pending" })],
  ["GET", /^\/v1\/inbox$/, ({ world, query }) => page(world.inbox.filter((i) => query.get("unread") !== "true" || i.read_at === null), query)],
  ["GET", /^\/v1\/inbox\/summary$/, ({ world }) => ({ unread: world.inbox.filter((i) => i.read_at === null).length })],
  ["POST", /^\/v1\/inbox\/read-all$/, ({ world }) => { for (const i of world.inbox) i.read_at ??= new Date().toISOString(); return { object: "inbox_summary", unread: 0 }; }],
  ["POST", /^\/v1\/inbox\/([^/]+)\/read$/, ({ world, params }) => Object.assign(find(world.inbox, params[0], "message"), { read_at: new Date().toISOString() })],
  ["GET", /^\/v1\/mails$/, ({ world, query }) => page(world.mails, query)],
  ["GET", /^\/v1\/mails\/([^/]+)$/, ({ world, params }) => find(world.mails, params[0], "mail")],
  ["GET", /^\/v1\/assistant\/conversations$/, ({ world, query }) => page(world.conversations, query)],
  ["GET", /^\/v1\/assistant\/conversations\/([^/]+)$/, ({ world, params }) => find(world.conversations, params[0], "conversation")],
  ["POST", /^\/v1\/realtime\/token$/, ({ world }) => ({ token: "mock", channels: [`inbox:#${world.session.member.id}`, "tenant:ops"] })],
  ["GET", /^\/readyz$/, ({ world }) => world.readiness],
  ["GET", /^\/openapi\.json$/, () => ({ openapi: "3.1.0", info: { title: "Plinth", version: "0.1.0" }, paths: { "/mock": Object.fromEntries(SCOPES.map((scope, i) => [`x${i}`, { security: [{ secret_key: [scope] }, ...(scope === "assistant:chat" || scope === "forms:submissions:create" ? [{ publishable_key: [scope] }] : [])] }])) } })],
];

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === "" ? {} : JSON.parse(text);
}

/** `PLINTH_MOCK_STATE` shows the other faces of every screen: `empty`, `error`, `slow`, `anonymous`, `fresh`. It can also be set by a cookie. */
function stateOf(request: IncomingMessage): string {
  return /mock_state=(\w+)/.exec(request.headers.cookie ?? "")?.[1] ?? process.env.PLINTH_MOCK_STATE ?? "";
}

export function mock(): Plugin {
  const world = makeWorld(Date.now());

  async function answer(request: IncomingMessage, response: ServerResponse, next: () => void) {
    const url = new URL(request.url ?? "/", "http://mock");
    response.setHeader("Content-Security-Policy", POLICY);
    const route = ROUTES.find(([method, path]) => method === request.method && path.test(url.pathname));
    if (!route) return next();
    const send = (status: number, body: unknown, type = "application/json") => {
      response.statusCode = body === null ? 204 : status;
      response.setHeader("X-Request-Id", "req_01k9mockmockmockmockmockm0");
      if (body === null) return response.end();
      if (typeof body === "object" && body !== null && "rev" in body) response.setHeader("ETag", `"${String(body.rev)}"`);
      response.setHeader("Content-Type", type);
      response.end(JSON.stringify(body));
    };
    const refuse = (refusal: Refusal) => send(refusal.status, { type: `/docs/errors/${refusal.code}`, title: refusal.title, status: refusal.status, code: refusal.code, detail: refusal.detail, request_id: "req_01k9mockmockmockmockmockm0", retryable: false, errors: refusal.errors }, "application/problem+json");
    const state = stateOf(request);
    const own = /session|setup|realtime|overview|inbox\/summary/.test(url.pathname);
    if (state === "slow" && (!own || url.pathname.endsWith("overview"))) return;
    if (state === "error" && !/session|realtime|openapi/.test(url.pathname)) return refuse(new Refusal(503, "overloaded", "Too busy", "More is asked than can be answered in time. Try again in a moment."));
    if ((state === "anonymous" || state === "fresh") && url.pathname === "/v1/session" && request.method === "GET") return refuse(new Refusal(401, "unauthenticated", "Not logged in", "Log in first."));
    if (state === "fresh" && url.pathname === "/v1/setup") return send(200, { needed: true });
    if (state === "empty" && request.method === "GET" && url.pathname === "/v1/inbox/summary") return send(200, { unread: 0 });
    try {
      const body = await bodyOf(request);
      const result = route[2]({ world, query: url.searchParams, params: route[1].exec(url.pathname)?.slice(1) ?? [], body, ifMatch: request.headers["if-match"] });
      if (state === "empty" && typeof result === "object" && result !== null && "has_more" in result) return send(200, { object: "list", data: [], has_more: false, next_cursor: null });
      send(request.method === "POST" ? 201 : 200, result);
    } catch (thrown) {
      if (thrown instanceof Refusal) refuse(thrown);
      else throw thrown;
    }
  }

  /** Enough of the Centrifugo client protocol for one page: connect with server-side subscriptions, publications, pings. */
  function realtime(server: Server) {
    const sockets = new WebSocketServer({ noServer: true });
    server.on("upgrade", (request, socket, head) => {
      if (request.url?.startsWith("/connection/websocket")) sockets.handleUpgrade(request, socket, head, (ws) => sockets.emit("connection", ws, request));
    });
    const channels = [`inbox:#${world.session.member.id}`, "tenant:ops"];
    sockets.on("connection", (ws) => {
      ws.on("message", (data) => {
        for (const line of String(data).split("\n")) {
          const command = JSON.parse(line || "{}") as { id?: number; connect?: unknown };
          if (command.connect) ws.send(JSON.stringify({ id: command.id, connect: { client: "mock", version: "mock", subs: Object.fromEntries(channels.map((c) => [c, {}])), ping: 25, pong: true } }));
        }
      });
      const ping = setInterval(() => ws.send("{}"), 25_000);
      ws.on("close", () => clearInterval(ping));
    });
    let n = 0;
    const arrive = setInterval(() => {
      if (sockets.clients.size === 0) return;
      const before = new Set(world.events.map((e) => e.id));
      n += 1;
      world.story(Date.now(), [["Ada Moreau", "ada@northwind.example", "One more thing: which version of the protocol do the sockets speak?"], ["Jonas Lindqvist", "jonas@havn.example", "It worked, thank you. The trace made it obvious."]][n % 2] as unknown as readonly [string, string, string], "ok");
      world.byTime(world.events);
      world.byTime(world.submissions);
      world.byTime(world.inbox);
      world.byTime(world.jobs);
      world.byTime(world.notifications);
      const push = (channel: string, data: unknown) => {
        for (const client of sockets.clients) client.send(JSON.stringify({ push: { channel, pub: { data } } }));
      };
      for (const event of world.events.filter((e) => !before.has(e.id))) push("tenant:ops", { type: "event", event: { id: event.id, kind: event.type, subject: event.subject, actor: event.actor, trace_id: event.trace_id, created_at: event.created_at, data: event.data } });
      push(channels[0] as string, { type: "inbox_item", unread: world.inbox.filter((i) => i.read_at === null).length });
    }, Number(process.env.PLINTH_MOCK_EVERY_MS ?? 20_000));
    server.on("close", () => clearInterval(arrive));
  }

  return {
    name: "plinth-mock",
    configureServer(server) {
      server.middlewares.use((request, response, next) => void answer(request, response, next));
      if (server.httpServer) realtime(server.httpServer as Server);
    },
    configurePreviewServer(server) {
      server.middlewares.use((request, response, next) => void answer(request, response, next));
      realtime(server.httpServer as Server);
    },
  };
}
