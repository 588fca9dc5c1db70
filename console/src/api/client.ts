import createClient, { type Middleware } from "openapi-fetch";
import { ProblemError, problemFrom, unreachable } from "./problem";
import type { paths } from "./schema";

const UNSAFE = new Set(["POST", "PUT", "PATCH", "DELETE"]);

/** 128 random bits. `crypto.randomUUID` exists only in secure contexts, and a console on a private network may be plain HTTP. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const house: Middleware = {
  onRequest({ request }) {
    // A cross-site form can send neither this header nor this content type: together they are the protection against forgery.
    request.headers.set("X-Plinth-Console", "1");
    if (UNSAFE.has(request.method)) {
      request.headers.set("Content-Type", "application/json");
      request.headers.set("Idempotency-Key", randomKey());
    }
    return request;
  },
};

export const api = createClient<paths>({ baseUrl: "", credentials: "same-origin" });
api.use(house);

interface Outcome<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The answer's body, or a thrown {@link ProblemError}. */
export async function read<T>(call: Promise<Outcome<T>>): Promise<T> {
  let outcome: Outcome<T>;
  try {
    outcome = await call;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ProblemError(unreachable());
  }
  if (!outcome.response.ok) {
    throw new ProblemError(problemFrom(outcome.error, outcome.response.status, outcome.response.headers.get("X-Request-Id")));
  }
  return outcome.data as T;
}

/** The same, with the answer's ETag: what a later `If-Match` says. */
export async function readTagged<T>(call: Promise<Outcome<T>>): Promise<{ data: T; etag: string | null }> {
  let etag: string | null = null;
  const data = await read(
    call.then((outcome) => {
      etag = outcome.response.headers.get("ETag");
      return outcome;
    }),
  );
  return { data, etag };
}
