import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, beforeEach, test } from "node:test";
import { everything, PlinthError, plinth, unwrap } from "../dist/index.js";

let server;
let api;
let seen = [];
let answers = [];

before(async () => {
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    seen.push({ method: request.method, url: request.url, headers: request.headers, body });
    const { status, json, headers = {} } = answers.shift() ?? { status: 200, json: {} };
    response.writeHead(status, { "Content-Type": status < 400 ? "application/json" : "application/problem+json", ...headers });
    response.end(JSON.stringify(json));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  api = plinth({ baseUrl: `http://127.0.0.1:${server.address().port}/`, key: "plk_test_1", version: "2026-11-01" });
});
after(() => server.close());
beforeEach(() => {
  seen = [];
  answers = [];
});

test("a call carries the key, the version and, when it changes something, an idempotency key", async () => {
  answers = [{ status: 200, json: { id: "frm_1" } }, { status: 201, json: { id: "frm_2" } }];
  assert.deepEqual(await unwrap(api.GET("/v1/forms/{id}", { params: { path: { id: "frm_1" } } })), { id: "frm_1" });
  await unwrap(api.POST("/v1/forms", { body: { name: "Contact" } }));
  assert.equal(seen[0].url, "/v1/forms/frm_1");
  assert.equal(seen[0].headers.authorization, "Bearer plk_test_1");
  assert.equal(seen[0].headers["plinth-version"], "2026-11-01");
  assert.equal(seen[0].headers["idempotency-key"], undefined);
  assert.match(seen[1].headers["idempotency-key"], /^[0-9a-f-]{36}$/);
});

test("a repeated call keeps its idempotency key and its body", async () => {
  answers = [{ status: 503, json: {}, headers: { "Retry-After": "0.01" } }, { status: 201, json: { id: "frm_3" } }];
  await unwrap(api.POST("/v1/forms", { body: { name: "Again" } }));
  assert.equal(seen.length, 2);
  assert.equal(seen[0].headers["idempotency-key"], seen[1].headers["idempotency-key"]);
  assert.equal(seen[1].body, '{"name":"Again"}');
});

test("a refusal is thrown with its code and the fields at fault, and not repeated", async () => {
  answers = [{ status: 422, json: { type: "/docs/errors/validation_failed", title: "Validation failed", status: 422, code: "validation_failed", errors: [{ pointer: "/name", code: "invalid_length", detail: "Too long." }] } }];
  await assert.rejects(unwrap(api.POST("/v1/forms", { body: { name: "x" } })), (error) => {
    assert.ok(error instanceof PlinthError);
    assert.equal(error.problem.code, "validation_failed");
    assert.equal(error.problem.errors[0].pointer, "/name");
    return true;
  });
  assert.equal(seen.length, 1);
});

test("a list is read to its end", async () => {
  answers = [{ status: 200, json: { object: "list", data: [{ id: "a" }], has_more: true, next_cursor: "c1" } }, { status: 200, json: { object: "list", data: [{ id: "b" }], has_more: false, next_cursor: null } }];
  const ids = [];
  for await (const form of everything((cursor) => unwrap(api.GET("/v1/forms", { params: { query: { cursor } } })))) ids.push(form.id);
  assert.deepEqual(ids, ["a", "b"]);
  assert.equal(seen[1].url, "/v1/forms?cursor=c1");
});
