import createClient, { type Client, type Middleware } from "openapi-fetch";
import type { paths } from "./schema.js";

export type { components, operations, paths } from "./schema.js";

export interface PlinthOptions {
  /** Where Plinth runs, such as `https://plinth.example.com`. */
  baseUrl: string;
  /** An API key, `plk_live_…` or `plk_test_…`. A publishable key may stand in a page; a secret one never. */
  key: string;
  /** A contract date to be answered by, `YYYY-MM-DD`. The key's own when left out. */
  version?: string;
  /** Tries of a call that may be repeated, the first included. 3 when left out; 1 turns retries off. */
  tries?: number;
  /** A `fetch` of your own, for tests and proxies. */
  fetch?: (request: Request) => Promise<Response>;
}

/** One fault of an input, where it is. */
export interface FieldError {
  pointer?: string;
  parameter?: string;
  header?: string;
  code: string;
  detail: string;
}

/** Why a call was refused (RFC 9457). `code` is the contract; `detail` is for people. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail?: string;
  request_id?: string;
  retryable?: boolean;
  errors?: FieldError[];
}

/** A refused call, thrown by {@link unwrap}. */
export class PlinthError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(`${problem.code}: ${problem.detail ?? problem.title}`);
    this.name = "PlinthError";
    this.problem = problem;
  }
}

export type PlinthClient = Client<paths>;

const UNSAFE = new Set(["POST", "PUT", "PATCH", "DELETE"]);
const TRIES = 3;
const PAUSE_MS = 250;
const PAUSE_MS_MAX = 10_000;

/**
 * A client whose paths, parameters, bodies and answers are typed by the contract.
 *
 * Every unsafe call gets an `Idempotency-Key` unless you give one, so a call that is repeated, here or by you, has its effect once.
 */
export function plinth(options: PlinthOptions): PlinthClient {
  const client = createClient<paths>({ baseUrl: options.baseUrl.replace(/\/$/, ""), fetch: retrying(options) });
  const identify: Middleware = {
    onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${options.key}`);
      if (options.version) request.headers.set("Plinth-Version", options.version);
      if (UNSAFE.has(request.method) && !request.headers.has("Idempotency-Key")) request.headers.set("Idempotency-Key", crypto.randomUUID());
      return request;
    },
  };
  client.use(identify);
  return client;
}

/** The answer's body, or a thrown {@link PlinthError}. */
export async function unwrap<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  if (response.ok) return data as T;
  throw new PlinthError(problemOf(error, response));
}

/** All entries of a paged list, read page by page as they are asked for. */
export async function* everything<T>(page: (cursor: string | undefined) => Promise<{ data: T[]; has_more: boolean; next_cursor?: string | null }>): AsyncGenerator<T> {
  let cursor: string | undefined;
  do {
    const { data, has_more, next_cursor } = await page(cursor);
    yield* data;
    cursor = has_more ? (next_cursor ?? undefined) : undefined;
  } while (cursor !== undefined);
}

function problemOf(error: unknown, response: Response): Problem {
  if (typeof error === "object" && error !== null && typeof (error as Problem).code === "string") return error as Problem;
  return { type: "about:blank", title: response.statusText || "The call was refused", status: response.status, code: `http_${response.status}` };
}

/** Repeats what failed for want of an answer, or with one that asks for patience, after the time it names. */
function retrying({ fetch: given, tries = TRIES }: PlinthOptions): (request: Request) => Promise<Response> {
  const send = given ?? ((request: Request) => fetch(request));
  return async (request) => {
    for (let attempt = 1; ; attempt += 1) {
      const last = attempt >= tries;
      try {
        // A request's body can be read once: each try but the last takes a copy.
        const response = await send(last ? request : request.clone());
        if (last || (response.status !== 429 && response.status !== 503)) return response;
        await response.body?.cancel();
        await pause(attempt, response.headers.get("Retry-After"), request.signal);
      } catch (error) {
        if (last || request.signal.aborted) throw error;
        await pause(attempt, null, request.signal);
      }
    }
  };
}

function pause(attempt: number, retryAfter: string | null, signal: AbortSignal): Promise<void> {
  const asked = Number(retryAfter) * 1000;
  // Full jitter: callers that failed together do not come back together.
  const ms = asked > 0 ? asked : Math.random() * PAUSE_MS * 2 ** attempt;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, Math.min(ms, PAUSE_MS_MAX));
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}
