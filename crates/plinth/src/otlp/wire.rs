//! OTLP/JSON (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>): what a collector reads. Pure.
//!
//! Ids are hexadecimal, names are in lower camel case, 64-bit integers are texts, enumerations are numbers. Attributes
//! follow the semantic conventions for HTTP servers and messaging; what those have no name for begins with `plinth.`.

use plinth_flow::{SpanKind, SpanStatus, TraceSpan};
use plinth_gateway::requests::{LoggedRequest, RequestRecord};
use plinth_kernel::{Micros, SpanId, TenantId, TraceId};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Characters of an error's text that go out.
const MESSAGE_CHARS_MAX: usize = 256;
/// Methods that the conventions know; any other is `_OTHER`, so that a stranger cannot make up names of spans.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];

/// The body of one export.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Export<'a> {
    resource_spans: [ResourceSpans<'a>; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans<'a> {
    resource: Resource<'a>,
    scope_spans: [ScopeSpans<'a>; 1],
}

#[derive(Debug, Serialize)]
struct Resource<'a> {
    attributes: &'a [KeyValue],
}

#[derive(Debug, Serialize)]
struct ScopeSpans<'a> {
    scope: Scope,
    spans: &'a [Span],
}

#[derive(Debug, Serialize)]
struct Scope {
    name: &'static str,
    version: &'static str,
}

impl<'a> Export<'a> {
    /// These spans of this resource.
    pub fn new(resource: &'a [KeyValue], spans: &'a [Span]) -> Self {
        let scope = Scope { name: "plinth", version: env!("CARGO_PKG_VERSION") };
        let scope_spans = [ScopeSpans { scope, spans }];
        Self { resource_spans: [ResourceSpans { resource: Resource { attributes: resource }, scope_spans }] }
    }
}

/// One span.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Span {
    trace_id: String,
    span_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<String>,
    name: String,
    kind: Kind,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<KeyValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
}

/// `opentelemetry.proto.trace.v1.Span.SpanKind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Internal = 1,
    Server = 2,
    Producer = 4,
    Consumer = 5,
}

impl Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(*self as u8)
    }
}

/// A failure. Success is the absence of a status: the conventions leave `OK` to people.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Status {
    code: u8,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
}

impl Status {
    fn error(message: &str) -> Self {
        Self { code: 2, message: message.chars().take(MESSAGE_CHARS_MAX).collect() }
    }
}

/// An attribute.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeyValue {
    key: String,
    value: AnyValue,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
enum AnyValue {
    #[serde(rename = "stringValue")]
    Text(String),
    #[serde(rename = "boolValue")]
    Truth(bool),
    /// A 64-bit integer, which is written as a text.
    #[serde(rename = "intValue")]
    Whole(String),
    #[serde(rename = "doubleValue")]
    Real(f64),
}

impl KeyValue {
    /// A text.
    pub fn text(key: &str, value: impl Into<String>) -> Self {
        Self { key: key.to_owned(), value: AnyValue::Text(value.into()) }
    }

    fn int(key: &str, value: i64) -> Self {
        Self { key: key.to_owned(), value: AnyValue::Whole(value.to_string()) }
    }

    /// An attribute of the timeline, under our own prefix; `None` for what is no scalar.
    fn own(key: &str, value: &Value) -> Option<Self> {
        let value = match value {
            Value::String(text) => AnyValue::Text(text.clone()),
            Value::Bool(truth) => AnyValue::Truth(*truth),
            Value::Number(number) => match number.as_i64() {
                Some(whole) => AnyValue::Whole(whole.to_string()),
                None => AnyValue::Real(number.as_f64()?),
            },
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        Some(Self { key: format!("plinth.{key}"), value })
    }
}

/// The id of a span on the wire. Most of ours are W3C span ids already; an event is a step under its own id, which
/// always maps to the same eight bytes, whoever maps it.
pub fn span_id(own: &str) -> SpanId {
    SpanId::parse(own).unwrap_or_else(|_| {
        let digest = Sha256::digest(own.as_bytes());
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&digest[..8]);
        SpanId(bytes)
    })
}

/// Nanoseconds since the epoch, as text.
fn nanos(at: Micros) -> String {
    (i128::from(at.0) * 1_000).max(0).to_string()
}

/// A request; `None` when its row has no trace. `route` is the path template of its operation.
pub fn of_request(logged: LoggedRequest, route: Option<&str>) -> Option<Span> {
    let LoggedRequest { request, tenant, parent_span_id } = logged;
    let trace_id = TraceId::parse(&request.trace_id).ok()?;
    let ended_at = Micros(request.created_at.0.saturating_add((request.duration_ms * 1_000.0) as i64));
    let method = METHODS.iter().find(|known| **known == request.method).copied();
    let name = [method.unwrap_or("HTTP"), route.unwrap_or("")].join(" ");
    let status = (request.status >= 500).then(|| Status::error(code_of(&request)));
    Some(Span {
        trace_id: trace_id.to_string(),
        span_id: span_id(&request.span_id).to_string(),
        parent_span_id: parent_span_id.map(|parent| span_id(&parent).to_string()),
        name: name.trim_end().to_owned(),
        kind: Kind::Server,
        start_time_unix_nano: nanos(request.created_at),
        end_time_unix_nano: nanos(ended_at.max(request.created_at)),
        attributes: request_attributes(&request, method, route, tenant.as_ref()),
        status,
    })
}

fn code_of(request: &RequestRecord) -> &str {
    request.problem.as_ref().map_or("", |problem| problem.code.as_str())
}

fn request_attributes(
    request: &RequestRecord,
    method: Option<&str>,
    route: Option<&str>,
    tenant: Option<&TenantId>,
) -> Vec<KeyValue> {
    let mut attributes = vec![
        KeyValue::text("http.request.method", method.unwrap_or("_OTHER")),
        KeyValue::text("url.path", &*request.path),
        KeyValue::int("http.response.status_code", request.status),
        KeyValue::text("client.address", &*request.client_ip),
        KeyValue::text("plinth.request_id", request.id.to_string()),
        KeyValue::text("plinth.actor", &*request.actor),
    ];
    let code = Some(code_of(request)).filter(|code| !code.is_empty());
    let optional = [
        ("http.request.method_original", method.is_none().then_some(request.method.as_str())),
        ("http.route", route),
        ("user_agent.original", request.user_agent.as_deref()),
        ("error.type", code),
        ("plinth.operation", request.operation.as_deref()),
        ("plinth.api_version", request.version.as_deref()),
        ("plinth.tenant", tenant.map(AsRef::as_ref)),
    ];
    attributes.extend(optional.into_iter().filter_map(|(key, value)| Some(KeyValue::text(key, value?))));
    attributes
}

/// A step of the timeline.
pub fn of_step(tenant: &TenantId, trace_id: TraceId, step: TraceSpan) -> Span {
    let error = step.attributes.get("error").and_then(Value::as_str).unwrap_or("");
    let status = (step.status == SpanStatus::Error).then(|| Status::error(error));
    let mut attributes = messaging_attributes(&step);
    attributes.push(KeyValue::text("plinth.tenant", tenant.to_string()));
    let own = step.attributes.iter().filter(|(key, _)| *key != "error");
    attributes.extend(own.filter_map(|(key, value)| KeyValue::own(key, value)));
    Span {
        trace_id: trace_id.to_string(),
        span_id: span_id(&step.id).to_string(),
        parent_span_id: step.parent_id.as_deref().map(|parent| span_id(parent).to_string()),
        name: step.name,
        kind: kind_of(step.kind),
        start_time_unix_nano: nanos(step.started_at),
        end_time_unix_nano: nanos(step.ended_at.unwrap_or(step.started_at).max(step.started_at)),
        attributes,
        status,
    }
}

/// An event and the enqueuing of a job put something before others; a consumer and an attempt take it up.
fn kind_of(kind: SpanKind) -> Kind {
    match kind {
        SpanKind::Request => Kind::Server,
        SpanKind::Command => Kind::Internal,
        SpanKind::Event | SpanKind::Job | SpanKind::Publication => Kind::Producer,
        SpanKind::Consumer | SpanKind::Attempt => Kind::Consumer,
    }
}

fn messaging_attributes(step: &TraceSpan) -> Vec<KeyValue> {
    let operation = match kind_of(step.kind) {
        Kind::Producer => "send",
        Kind::Consumer => "process",
        Kind::Internal | Kind::Server => return Vec::new(),
    };
    let mut attributes = vec![
        KeyValue::text("messaging.system", "plinth"),
        KeyValue::text("messaging.operation.type", operation),
        KeyValue::text("messaging.operation.name", step.kind.as_str()),
    ];
    // A consumer is named by who takes, the others by what is sent.
    let named = match step.kind {
        SpanKind::Consumer => "messaging.consumer.group.name",
        _ => "messaging.destination.name",
    };
    attributes.push(KeyValue::text(named, &*step.name));
    let message = match step.kind {
        SpanKind::Event => Some(step.id.as_str()),
        _ => step.attributes.get("job_id").and_then(Value::as_str),
    };
    attributes.extend(message.map(|id| KeyValue::text("messaging.message.id", id)));
    attributes
}

/// What a collector did not take of an export that it answered with success.
pub fn rejected(body: &[u8]) -> Option<(u64, String)> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let partial = answer.get("partialSuccess")?;
    let spans = partial.get("rejectedSpans").and_then(|count| match count {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    })?;
    let message = partial.get("errorMessage").and_then(Value::as_str).unwrap_or("");
    (spans > 0).then(|| (spans, message.chars().take(MESSAGE_CHARS_MAX).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use plinth_gateway::requests::RequestProblem;
    use plinth_kernel::{Id, RequestId};
    use proptest::prelude::*;
    use serde_json::{Map, json};

    fn tenant() -> TenantId {
        TenantId::from_uuid([7; 16])
    }

    fn request(method: &str, status: i64) -> LoggedRequest {
        LoggedRequest {
            request: RequestRecord {
                object: "request",
                id: RequestId::from_uuid([1; 16]),
                operation: Some("create_form".into()),
                method: method.into(),
                path: "/v1/forms".into(),
                status,
                problem: (status >= 400)
                    .then(|| RequestProblem { code: "overloaded".into(), detail: "Later.".into() }),
                duration_ms: 1.5,
                trace_id: "0af7651916cd43dd8448eb211c80319c".into(),
                span_id: "b7ad6b7169203331".into(),
                actor: "anonymous".into(),
                client_ip: "192.0.2.1".into(),
                user_agent: Some("curl/8".into()),
                client_request_id: Some("mine".into()),
                idempotency_key: Some("secret-enough".into()),
                version: Some("2026-09-01".into()),
                created_at: Micros(1_700_000_000_000_001),
            },
            tenant: Some(tenant()),
            parent_span_id: Some("00f067aa0ba902b7".into()),
        }
    }

    fn step(kind: SpanKind, id: &str, status: SpanStatus, attributes: Value) -> Value {
        let attributes: Map<String, Value> = serde_json::from_value(attributes).unwrap();
        let step = TraceSpan {
            id: id.into(),
            parent_id: Some("b7ad6b7169203331".into()),
            kind,
            name: "notify.send_email".into(),
            status,
            started_at: Micros(5),
            ended_at: Some(Micros(9)),
            attributes,
        };
        serde_json::to_value(of_step(&tenant(), TraceId([3; 16]), step)).unwrap()
    }

    /// The attributes as one object: texts and numbers as they stand on the wire.
    fn attributes(span: &Value) -> Map<String, Value> {
        let pairs = span["attributes"].as_array().unwrap().iter();
        pairs.map(|pair| (pair["key"].as_str().unwrap().to_owned(), pair["value"].clone())).collect()
    }

    #[test]
    fn a_request_is_written_as_the_protocol_says() {
        let span = of_request(request("POST", 201), Some("/v1/forms")).unwrap();
        let resource = [KeyValue::text("service.name", "plinth")];
        let body = serde_json::to_value(Export::new(&resource, &[span])).unwrap();
        let text = |value: &str| json!({"stringValue": value});
        assert_eq!(
            body,
            json!({"resourceSpans": [{
                "resource": {"attributes": [{"key": "service.name", "value": text("plinth")}]},
                "scopeSpans": [{
                    "scope": {"name": "plinth", "version": env!("CARGO_PKG_VERSION")},
                    "spans": [{
                        "traceId": "0af7651916cd43dd8448eb211c80319c",
                        "spanId": "b7ad6b7169203331",
                        "parentSpanId": "00f067aa0ba902b7",
                        "name": "POST /v1/forms",
                        "kind": 2,
                        "startTimeUnixNano": "1700000000000001000",
                        "endTimeUnixNano": "1700000000001501000",
                        "attributes": [
                            {"key": "http.request.method", "value": text("POST")},
                            {"key": "url.path", "value": text("/v1/forms")},
                            {"key": "http.response.status_code", "value": {"intValue": "201"}},
                            {"key": "client.address", "value": text("192.0.2.1")},
                            {"key": "plinth.request_id", "value": text(RequestId::from_uuid([1; 16]).as_ref())},
                            {"key": "plinth.actor", "value": text("anonymous")},
                            {"key": "http.route", "value": text("/v1/forms")},
                            {"key": "user_agent.original", "value": text("curl/8")},
                            {"key": "plinth.operation", "value": text("create_form")},
                            {"key": "plinth.api_version", "value": text("2026-09-01")},
                            {"key": "plinth.tenant", "value": text(tenant().as_ref())},
                        ],
                    }],
                }],
            }]})
        );
    }

    #[test]
    fn only_our_own_failures_make_a_server_span_an_error() {
        let span = |status| serde_json::to_value(of_request(request("GET", status), None).unwrap()).unwrap();
        assert!(span(404)["status"].is_null());
        assert_eq!(attributes(&span(404))["error.type"], json!({"stringValue": "overloaded"}));
        assert_eq!(span(503)["status"], json!({"code": 2, "message": "overloaded"}));
        assert_eq!(span(503)["name"], "GET");
    }

    #[test]
    fn a_stranger_makes_up_no_names() {
        let span = serde_json::to_value(of_request(request("BREW", 405), None).unwrap()).unwrap();
        assert_eq!(span["name"], "HTTP");
        let attributes = attributes(&span);
        assert_eq!(attributes["http.request.method"], json!({"stringValue": "_OTHER"}));
        assert_eq!(attributes["http.request.method_original"], json!({"stringValue": "BREW"}));
    }

    #[test]
    fn keys_of_callers_stay_here() {
        let span = serde_json::to_string(&of_request(request("POST", 201), None)).unwrap();
        assert!(!span.contains("secret-enough"));
    }

    #[test]
    fn a_row_without_a_trace_is_no_span() {
        let mut logged = request("GET", 200);
        logged.request.trace_id.clear();
        assert_eq!(of_request(logged, None), None);
    }

    #[test]
    fn a_failed_attempt_says_why_and_takes_up_what_its_job_sent() {
        let known = json!({"attempt": 2, "outcome": "retry", "error": "421 busy", "parts": ["x"]});
        let attempt = step(SpanKind::Attempt, "1111111111111111", SpanStatus::Error, known);
        assert_eq!(attempt["kind"], 5);
        assert_eq!(attempt["status"], json!({"code": 2, "message": "421 busy"}));
        assert_eq!(attempt["parentSpanId"], "b7ad6b7169203331");
        assert_eq!(
            (&attempt["startTimeUnixNano"], &attempt["endTimeUnixNano"]),
            (&json!("5000"), &json!("9000"))
        );
        let known = attributes(&attempt);
        assert_eq!(known["plinth.attempt"], json!({"intValue": "2"}));
        assert_eq!(known["messaging.destination.name"], json!({"stringValue": "notify.send_email"}));
        assert!(!known.contains_key("plinth.error") && !known.contains_key("plinth.parts"));
        let job = step(SpanKind::Job, "2222222222222222", SpanStatus::Ok, json!({"job_id": "job_1"}));
        assert_eq!((&job["kind"], job.get("status")), (&json!(4), None));
        assert_eq!(attributes(&job)["messaging.message.id"], json!({"stringValue": "job_1"}));
    }

    #[test]
    fn an_event_s_id_maps_to_the_same_eight_bytes_everywhere() {
        let event = step(SpanKind::Event, "evt_01", SpanStatus::Ok, json!({}));
        let handling = TraceSpan {
            id: "3333333333333333".into(),
            parent_id: Some("evt_01".into()),
            kind: SpanKind::Consumer,
            name: "notify.planner".into(),
            status: SpanStatus::Ok,
            started_at: Micros(5),
            ended_at: None,
            attributes: Map::new(),
        };
        let handling = serde_json::to_value(of_step(&tenant(), TraceId([3; 16]), handling)).unwrap();
        // The first eight bytes of SHA-256("evt_01"), worked out elsewhere.
        assert_eq!(event["spanId"], GOLDEN_EVENT);
        assert_eq!(handling["parentSpanId"], event["spanId"]);
        assert_eq!(attributes(&event)["messaging.message.id"], json!({"stringValue": "evt_01"}));
        assert_eq!(handling["endTimeUnixNano"], handling["startTimeUnixNano"]);
    }

    const GOLDEN_EVENT: &str = "4246e65035e926e6";

    #[test]
    fn what_a_collector_rejects_is_read_in_either_spelling() {
        assert_eq!(rejected(b"{}"), None);
        assert_eq!(rejected(br#"{"partialSuccess": {}}"#), None);
        assert_eq!(rejected(b"<html>"), None);
        let text = br#"{"partialSuccess": {"rejectedSpans": "3", "errorMessage": "too old"}}"#;
        assert_eq!(rejected(text), Some((3, "too old".to_owned())));
        assert_eq!(rejected(br#"{"partialSuccess": {"rejectedSpans": 2}}"#), Some((2, String::new())));
    }

    proptest! {
        #[test]
        fn every_id_is_sixteen_hexadecimal_digits(own in "\\PC{0,60}") {
            let id = span_id(&own).to_string();
            prop_assert_eq!(id.len(), 16);
            prop_assert!(id.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
            prop_assert_eq!(span_id(&id).to_string(), id);
        }
    }
}
