import { describe, expect, it } from "vitest";
import { keysTouchedBy, pushedEvent } from "../src/api/live";
import { filters, nextCursor, rowsOf } from "../src/api/pages";
import { fieldError, otherErrors, ProblemError, problemFrom, toProblem, worthRetrying } from "../src/api/problem";
import { bySystem, scopesIn } from "../src/api/scopes";

const page = <T>(data: T[], next_cursor: string | null) => ({ object: "list" as const, data, has_more: next_cursor !== null, next_cursor });

describe("cursor pages", () => {
  it("end where the server says so", () => {
    expect(nextCursor(page([], "c1"))).toBe("c1");
    expect(nextCursor(page([], null))).toBeUndefined();
    expect(nextCursor({ has_more: true, next_cursor: null })).toBeUndefined();
    expect(nextCursor({ has_more: false, next_cursor: "c1" })).toBeUndefined();
  });

  it("show a row once, though it moved over a page's border while they were loaded", () => {
    const data = { pages: [page([{ id: "a" }, { id: "b" }], "c"), page([{ id: "b" }, { id: "c" }], null)], pageParams: [] };
    expect(rowsOf(data).map((row) => row.id)).toEqual(["a", "b", "c"]);
    expect(rowsOf(undefined)).toEqual([]);
  });

  it("send no filter that is not set", () => {
    expect(filters({ state: "dead", queue: undefined, q: "", unread: false })).toEqual({ state: "dead", unread: false });
  });
});

describe("problems", () => {
  const body = { title: "Validation failed", status: 422, code: "validation_failed", errors: [{ pointer: "/email", code: "invalid_email", detail: "No e-mail address." }, { parameter: "limit", code: "out_of_range", detail: "1 to 100." }] };

  it("keep the server's own words and take the request id from the header when the body has none", () => {
    expect(problemFrom(body, 422, "req_1")).toMatchObject({ code: "validation_failed", request_id: "req_1" });
    expect(problemFrom({ ...body, request_id: "req_0" }, 422, "req_1").request_id).toBe("req_0");
  });

  it("are made up for an answer that is no problem document", () => {
    expect(problemFrom("<html>Bad gateway</html>", 502, null)).toMatchObject({ status: 502, code: "http_502", retryable: true });
    expect(problemFrom(undefined, 400, null)).toMatchObject({ status: 400, retryable: false });
    expect(toProblem(new TypeError("fetch failed")).code).toBe("unreachable");
    expect(toProblem("odd").code).toBe("console_error");
  });

  it("stand at the input they are about, and the rest beside them", () => {
    const error = new ProblemError(body);
    expect(fieldError(error, "/email")).toBe("No e-mail address.");
    expect(fieldError(error, "/name")).toBeUndefined();
    expect(otherErrors(error, ["/email"]).map((e) => e.parameter)).toEqual(["limit"]);
  });

  it("are retried only when asking again could help", () => {
    const at = (status: number, retryable: boolean) => new ProblemError({ title: "", status, code: "x", retryable });
    expect(worthRetrying(0, at(503, true))).toBe(true);
    expect(worthRetrying(0, at(429, true))).toBe(true);
    expect(worthRetrying(0, at(404, false))).toBe(false);
    expect(worthRetrying(2, at(503, true))).toBe(false);
  });
});

describe("live messages", () => {
  it("make stale what they tell of, and nothing else", () => {
    expect(keysTouchedBy("inbox:#mbr_1", { type: "inbox_item" })).toEqual(["inbox"]);
    expect(keysTouchedBy("tenant:ops", { type: "event", event: { type: "forms.submission.completed" } })).toEqual(["traces", "jobs", "submissions"]);
    expect(keysTouchedBy("tenant:ops", { type: "job.state_changed" })).toEqual(["jobs", "traces"]);
    expect(keysTouchedBy("tenant:ops", { type: "something_new" })).toEqual([]);
  });
});

describe("pushed events", () => {
  const whole = { id: "evt_1", kind: "forms.submission.completed", subject: "sub_1", actor: "visitor:x", trace_id: "t", created_at: "2026-11-22T12:00:00.000Z" };
  it("become rows of the tail when they are whole", () => {
    expect(pushedEvent({ type: "event", event: whole })).toMatchObject({ id: "evt_1", type: "forms.submission.completed" });
    expect(pushedEvent({ type: "event", event: { ...whole, created_at: undefined } })).toBeNull();
    expect(pushedEvent({ type: "job" })).toBeNull();
  });
});

describe("scopes", () => {
  const document: Parameters<typeof scopesIn>[0] = {
    paths: {
      "/v1/forms": { get: { security: [{ secret_key: ["forms:forms:read"] }, { session: ["forms:forms:read"] }] }, post: { security: [{ secret_key: ["forms:forms:write"] }] } },
      "/v1/jobs": { get: { security: [{ secret_key: ["flow:jobs:read"] }] } },
      "/healthz": { get: {} },
    },
  };

  it("are read off the document, once each and per way of authenticating", () => {
    expect(scopesIn(document, "secret_key")).toEqual(["flow:jobs:read", "forms:forms:read", "forms:forms:write"]);
    expect(scopesIn(document, "session")).toEqual(["forms:forms:read"]);
    expect(bySystem(scopesIn(document, "secret_key"))).toEqual([["flow", ["flow:jobs:read"]], ["forms", ["forms:forms:read", "forms:forms:write"]]]);
  });
});
