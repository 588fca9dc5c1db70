//! What a client must not send. Each fault has its own answer: a 4xx with a code, and the place where it is.

use crate::support::{Client, Server, contact_values, on_both_engines};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const SUBMISSIONS: &str = "/v1/forms/ext:contact/submissions";

/// A fault: what is sent, and what must come back.
struct Fault {
    name: &'static str,
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    status: u16,
    code: &'static str,
    /// `pointer`, `parameter` or `header` of an error, and its value.
    place: Option<(&'static str, &'static str)>,
}

impl Fault {
    fn new(
        name: &'static str,
        method: &'static str,
        path: impl Into<String>,
        status: u16,
        code: &'static str,
    ) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { name, method, path: path.into(), headers, body: Vec::new(), status, code, place: None }
    }

    fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    fn at(mut self, kind: &'static str, place: &'static str) -> Self {
        self.place = Some((kind, place));
        self
    }

    /// What is wrong with the answer.
    async fn check(&self, client: &Client) -> Option<String> {
        let mut request = client.request(self.method.parse().unwrap(), &self.path);
        for (name, value) in &self.headers {
            request = request.header(*name, value.as_str());
        }
        let answer = client.send(request.body(self.body.clone())).await;
        let expected = (self.status, self.code);
        let errors = || answer.json()["errors"].as_array().cloned().unwrap_or_default();
        let placed = self.place.is_none_or(|(kind, place)| errors().iter().any(|error| error[kind] == place));
        let right = (answer.status, answer.problem().as_str()) == expected && placed;
        (!right)
            .then(|| format!("{}: {} instead of {expected:?} at {:?}", self.name, answer.text(), self.place))
    }
}

fn bodies() -> Vec<Fault> {
    let post =
        |name, status, code, body: &str| Fault::new(name, "POST", SUBMISSIONS, status, code).body(body);
    let create =
        |name, status, code, body: &str| Fault::new(name, "POST", "/v1/forms", status, code).body(body);
    let deep = format!("{{\"values\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let large = format!("{{\"values\":{{\"message\":\"{}\"}}}}", "x".repeat(2 * 1024 * 1024));
    vec![
        post("no body", 400, "invalid_json", ""),
        post("not JSON", 400, "invalid_json", "values=1"),
        post("cut short", 400, "invalid_json", "{\"values\": {\"name\": \"A"),
        post("something behind it", 400, "invalid_json", "{\"values\":{}} {}"),
        post("a key twice", 400, "invalid_json", "{\"values\":{},\"values\":{}}"),
        post("nested too deep", 400, "invalid_json", &deep),
        post("half a surrogate", 400, "invalid_json", "{\"values\":{\"name\":\"\\ud800\"}}"),
        post("a null character", 400, "invalid_json", "{\"values\":{\"name\":\"\\u0000\"}}"),
        post("too large", 413, "payload_too_large", &large),
        post("an array", 422, "validation_failed", "[]"),
        post("null", 422, "validation_failed", "null"),
        post("nothing in it", 422, "validation_failed", "{}").at("pointer", "/values"),
        post("a wrong type", 422, "validation_failed", "{\"values\": 7}").at("pointer", "/values"),
        post("an unknown field", 400, "unknown_field", "{\"values\":{},\"extra\":1}").at("pointer", "/extra"),
        Fault::new("invalid UTF-8", "POST", SUBMISSIONS, 400, "invalid_json")
            .body(&b"{\"values\":{\"name\":\"\xff\xfe\"}}"[..]),
        create("a wrong type within", 422, "validation_failed", "{\"name\": 5}").at("pointer", "/name"),
        create("a name of spaces", 422, "validation_failed", "{\"name\": \"   \"}").at("pointer", "/name"),
        create(
            "an unknown field within",
            400,
            "unknown_field",
            "{\"name\":\"x\",\"definition\":{\"lang\":1,\"default_locale\":\"en\",\"pages\":[],\"x\":1}}",
        )
        .at("pointer", "/definition/x"),
        create(
            "metadata that is no text",
            422,
            "validation_failed",
            "{\"name\":\"x\",\"metadata\":{\"a\":1}}",
        )
        .at("pointer", "/metadata/a"),
        Fault::new("another media type", "POST", SUBMISSIONS, 415, "unsupported_media_type")
            .header("content-type", "text/plain")
            .body(contact_values("Ada").to_string()),
        Fault::new(
            "a body where none belongs",
            "POST",
            "/v1/jobs/job_01kb3h5f8xe7ksq2v9w6m4t0rd/cancel",
            400,
            "invalid_request",
        )
        .body("{\"a\":1}"),
    ]
}

/// Values that the form refuses, each at its field.
fn values() -> Vec<Fault> {
    let cases: [(&str, Value, &str); 8] = [
        ("no name", json!({"name": null}), "/values/name"),
        ("a short name", json!({"name": "A"}), "/values/name"),
        ("a name that is a number", json!({"name": 5}), "/values/name"),
        ("a name that is a list", json!({"name": ["Ada"]}), "/values/name"),
        ("no address", json!({"email": "ada at example"}), "/values/email"),
        ("an unknown choice", json!({"topic": "weather"}), "/values/topic"),
        ("a long message", json!({"message": "x".repeat(5_001)}), "/values/message"),
        ("a field that the form has not", json!({"age": 36}), "/values/age"),
    ];
    let fault = |(name, change, place): (&'static str, Value, &'static str)| {
        let mut body = contact_values("Ada");
        for (key, value) in change.as_object().unwrap() {
            body["values"][key] = value.clone();
        }
        Fault::new(name, "POST", SUBMISSIONS, 422, "validation_failed")
            .body(body.to_string())
            .at("pointer", place)
    };
    cases.into_iter().map(fault).collect()
}

fn parameters() -> Vec<Fault> {
    let get = |name, path: &str, code| Fault::new(name, "GET", path, 400, code);
    vec![
        get("a limit of nothing", "/v1/forms?limit=0", "invalid_parameter").at("parameter", "limit"),
        get("a limit beyond the largest", "/v1/forms?limit=101", "invalid_parameter")
            .at("parameter", "limit"),
        get("a limit that is no number", "/v1/forms?limit=many", "invalid_parameter")
            .at("parameter", "limit"),
        get("a parameter twice", "/v1/forms?limit=1&limit=2", "invalid_parameter").at("parameter", "limit"),
        get("an unknown parameter", "/v1/forms?colour=red", "invalid_parameter").at("parameter", "colour"),
        get("an unknown order", "/v1/forms?order=random", "invalid_parameter").at("parameter", "order"),
        get("an unknown state", "/v1/jobs?state=sleepy", "invalid_parameter").at("parameter", "state"),
        get("half an escape", "/v1/submissions?q=%ff", "invalid_parameter"),
        get("a null character", "/v1/submissions?q=%00", "invalid_parameter").at("parameter", "q"),
        get(
            "an id of something else",
            "/v1/submissions?form_id=sub_01kb3h5f8xe7ksq2v9w6m4t0rd",
            "invalid_parameter",
        )
        .at("parameter", "form_id"),
        get("a cursor that is none", "/v1/forms?cursor=hello", "invalid_cursor"),
        get("a cursor of nothing", "/v1/forms?cursor=", "invalid_cursor"),
        get(
            "a cursor with a wrong signature",
            "/v1/forms?cursor=AQEBAQEBAQEBAgICAgICAgJmcm1f",
            "invalid_cursor",
        ),
        Fault::new(
            "a long cursor",
            "GET",
            format!("/v1/forms?cursor={}", "A".repeat(4_000)),
            400,
            "invalid_parameter",
        ),
        Fault::new("a malformed id", "GET", "/v1/forms/frm_!", 404, "not_found"),
        Fault::new(
            "an id of something else in the path",
            "GET",
            "/v1/forms/sub_01kb3h5f8xe7ksq2v9w6m4t0rd",
            404,
            "not_found",
        ),
        Fault::new("an escaped slash in an id", "GET", "/v1/forms/frm%2f..%2f..", 400, "invalid_request"),
        Fault::new("an unknown path", "GET", "/v1/nothing", 404, "not_found"),
        Fault::new("a wrong method", "DELETE", "/v1/forms", 405, "method_not_allowed"),
        Fault::new("an unknown method", "BREW", "/v1/forms", 405, "method_not_allowed"),
        Fault::new("a long path", "GET", format!("/v1/forms/{}", "x".repeat(20_000)), 414, "uri_too_long"),
    ]
}

fn headers() -> Vec<Fault> {
    let good =
        || Fault::new("", "POST", SUBMISSIONS, 400, "invalid_header").body(contact_values("Ada").to_string());
    let named = |name, mut fault: Fault| {
        fault.name = name;
        fault
    };
    vec![
        named(
            "a long idempotency key",
            good().header("idempotency-key", "k".repeat(300)).at("header", "idempotency-key"),
        ),
        named(
            "an empty idempotency key",
            good().header("idempotency-key", "").at("header", "idempotency-key"),
        ),
        Fault::new("an unknown version", "GET", "/v1/forms", 400, "version_unsupported")
            .header("plinth-version", "1999-01-01"),
        Fault::new("a version that is none", "GET", "/v1/forms", 400, "version_unsupported")
            .header("plinth-version", "newest"),
        Fault::new("no If-Match", "POST", "/v1/forms/ext:contact/publish", 428, "precondition_required")
            .body("{}"),
        Fault::new("a stale If-Match", "POST", "/v1/forms/ext:contact/publish", 412, "precondition_failed")
            .header("if-match", "\"stale\"")
            .body("{}"),
        Fault::new("many headers' worth", "GET", "/v1/forms", 431, "headers_too_large")
            .header("x-padding", "x".repeat(40_000)),
    ]
}

fn credentials() -> Vec<Fault> {
    // {"alg":"none"} and {"alg":"EdDSA"} with an end in 2001.
    let expired =
        "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJ4Iiwic3ViIjoieCIsImV4cCI6MTAwMDAwMDAwMH0.AAAA";
    let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.";
    let with = |name, text: &str, code| {
        Fault::new(name, "GET", "/v1/forms", 401, code).header("authorization", text)
    };
    vec![
        with("another scheme", "Basic YTpi", "unauthenticated"),
        with("no token", "Bearer ", "unauthenticated"),
        with("a key that is none", "Bearer plk_live_nonsense", "unauthenticated"),
        with("an expired token", &format!("Bearer {expired}"), "token_invalid"),
        with("an unsigned token", &format!("Bearer {unsigned}"), "token_invalid"),
        with("a token that is none", "Bearer a.b.c", "token_invalid"),
        with("a long token", &format!("Bearer {}", "a".repeat(9_000)), "token_invalid"),
    ]
}

on_both_engines! {
    async fn every_fault_has_its_own_answer(home: Home) {
        let (live, _) = home.organisation("Engines");
        let key = home.key(&live);
        let server = home.start();
        let (nobody, client) = (server.client(), server.client().bearer(&key));
        let (mut count, mut wrong) = (0, Vec::new());
        for fault in bodies().iter().chain(&values()).chain(&parameters()).chain(&headers()) {
            wrong.extend(fault.check(&client).await);
            count += 1;
        }
        for fault in &credentials() {
            wrong.extend(fault.check(&nobody).await);
            count += 1;
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        count += head_abuse(&server).await;
        // None of it was taken for an answer.
        assert_eq!(client.list("/v1/submissions").await.len(), 0);
        client.post(SUBMISSIONS, &contact_values("Ada")).await.expect(201);
        println!("{count} faults");
        server.stop();
    }
}

/// Requests that no HTTP library would send.
async fn head_abuse(server: &Server) -> usize {
    let host = server.base.strip_prefix("http://").unwrap();
    let many: String = (0..300).map(|n| format!("x-{n}: 1\r\n")).collect();
    let cases = [
        ("no host", "GET /v1/forms HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("two hosts", format!("GET /v1/forms HTTP/1.1\r\nhost: {host}\r\nhost: b\r\n\r\n"), 400),
        ("a host that is none", "GET /v1/forms HTTP/1.1\r\nhost: a b/c\r\n\r\n".to_owned(), 400),
        (
            "two lengths",
            format!(
                "POST /v1/forms HTTP/1.1\r\nhost: {host}\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx"
            ),
            400,
        ),
        // RFC 9112 §6.3: chunks win, the length is dropped, and the connection is not used again.
        (
            "length and chunks",
            format!(
                "POST /v1/forms HTTP/1.1\r\nhost: {host}\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
            401,
        ),
        (
            "a negative length",
            format!("POST /v1/forms HTTP/1.1\r\nhost: {host}\r\ncontent-length: -1\r\n\r\n"),
            400,
        ),
        ("too many fields", format!("GET /v1/forms HTTP/1.1\r\nhost: {host}\r\n{many}\r\n"), 431),
        ("not HTTP at all", "\u{16}\u{3}\u{1}hello\r\n\r\n".to_owned(), 400),
        (
            "a space in a field's name",
            format!("GET /v1/forms HTTP/1.1\r\nhost: {host}\r\nx y: 1\r\n\r\n"),
            400,
        ),
        ("a path that climbs", format!("GET /v1/../../etc/passwd HTTP/1.1\r\nhost: {host}\r\n\r\n"), 400),
    ];
    for (name, request, status) in &cases {
        let mut stream = TcpStream::connect(host).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = vec![0; 16 * 1024];
        let read =
            tokio::time::timeout(crate::support::PATIENCE, stream.read(&mut answer)).await.unwrap().unwrap();
        let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{name}: {answer:?}");
        let ambiguous =
            request.to_lowercase().matches("content-length").count() + request.matches("chunked").count() > 1;
        assert!(!ambiguous || answer.contains("connection: close"), "{name}: {answer:?}");
    }
    cases.len()
}
