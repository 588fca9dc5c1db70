//! The log's table.

use super::LogEntry;
use crate::limits;
use plinth_api::list::Keyset;
use plinth_flow::{SpanKind, SpanStatus, TraceSpan};
use plinth_kernel::{Micros, Problem, RequestId, TenantId, TraceId};
use plinth_store::{Arg, FromRow, Migration, Row, Store, Tx, args, owned};
use serde::{Deserialize, Serialize};

/// The log's tables.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "requests",
        sql: "
CREATE TABLE gateway_requests (
    tenant_id         TEXT NOT NULL,
    id                TEXT NOT NULL,
    operation         TEXT NOT NULL,
    method            TEXT NOT NULL,
    path              TEXT NOT NULL,
    status            BIGINT NOT NULL,
    code              TEXT NOT NULL,
    duration_us       BIGINT NOT NULL,
    trace_id          TEXT NOT NULL,
    span_id           TEXT NOT NULL,
    actor             TEXT NOT NULL,
    client_ip         TEXT NOT NULL,
    user_agent        TEXT NOT NULL,
    client_request_id TEXT NOT NULL,
    idempotency_key   TEXT NOT NULL,
    version           TEXT NOT NULL,
    error             TEXT NOT NULL,
    created_at        BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX gateway_requests_age ON gateway_requests (created_at);
CREATE INDEX gateway_requests_trace ON gateway_requests (tenant_id, trace_id);
",
    },
    Migration {
        number: 2,
        name: "parent_span",
        sql: "ALTER TABLE gateway_requests ADD COLUMN parent_span_id TEXT NOT NULL DEFAULT ''",
    },
];

/// Most requests that one search looks at, newest first from where the page begins: a search for something rare must
/// not read the whole log.
const SEARCHED_MAX: i64 = 20_000;
/// Longest text to search for, in characters.
const SEARCH_MAX_CHARS: usize = 200;

/// A request as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = Request)]
pub struct RequestRecord {
    /// Always `request`.
    #[schema(example = "request")]
    pub object: &'static str,
    /// Id, as in `X-Request-Id`.
    pub id: RequestId,
    /// Operation; none for pages.
    #[schema(example = "create_form")]
    pub operation: Option<String>,
    /// HTTP method.
    #[schema(example = "POST")]
    pub method: String,
    /// Path, without the query.
    #[schema(example = "/v1/forms")]
    pub path: String,
    /// HTTP status; 499 when the client went away first.
    #[schema(example = 201)]
    pub status: i64,
    /// What it was refused with.
    pub problem: Option<RequestProblem>,
    /// How long it took.
    #[schema(example = 1.83)]
    pub duration_ms: f64,
    /// Trace; see `GET /v1/traces/{trace_id}`.
    pub trace_id: String,
    /// Span of the request in its trace.
    pub span_id: String,
    /// Who asked: `key:…`, `member:…`, `user:…`, `visitor:…` or `anonymous`.
    #[schema(example = "key:key_01kb3h5f8xe7ksq2v9w6m4t0rd")]
    pub actor: String,
    /// Address of the client.
    pub client_ip: String,
    /// What the client called itself.
    pub user_agent: Option<String>,
    /// The caller's own id of the request.
    pub client_request_id: Option<String>,
    /// The caller's idempotency key.
    pub idempotency_key: Option<String>,
    /// Version of the contract.
    pub version: Option<String>,
    /// When it came.
    pub created_at: Micros,
}

/// What a request was refused with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RequestProblem {
    /// Stable name.
    #[schema(example = "validation_failed")]
    pub code: String,
    /// What happened, with the fields at fault.
    pub detail: String,
}

impl FromRow for RequestRecord {
    fn from_row(row: &Row<'_>) -> plinth_store::Result<Self> {
        let optional = |index| row.get::<String>(index).map(|text| (!text.is_empty()).then_some(text));
        let duration_us: i64 = row.get(6)?;
        let (code, detail): (String, String) = (row.get(5)?, row.get(14)?);
        Ok(Self {
            object: "request",
            id: row.get(0)?,
            operation: optional(1)?,
            method: row.get(2)?,
            path: row.get(3)?,
            status: row.get(4)?,
            problem: (!code.is_empty()).then_some(RequestProblem { code, detail }),
            duration_ms: duration_us as f64 / 1_000.0,
            trace_id: row.get(7)?,
            span_id: row.get(8)?,
            actor: row.get(9)?,
            client_ip: row.get(10)?,
            user_agent: optional(11)?,
            client_request_id: optional(12)?,
            version: optional(13)?,
            idempotency_key: optional(15)?,
            created_at: row.get(16)?,
        })
    }
}

/// What to look for.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RequestFilter {
    /// A status (`404`), a class (`4xx`) or `error` for everything from 400.
    #[serde(default)]
    #[param(pattern = "^([1-5][0-9]{2}|[1-5]xx|error)$", example = "4xx")]
    pub status: Option<String>,
    /// An operation.
    #[serde(default)]
    #[param(example = "create_form")]
    pub operation: Option<String>,
    /// Part of the path, the actor, the code, the error, an id or a trace. Looks at the newest 20 000 requests.
    #[serde(default)]
    #[param(max_length = 200)]
    pub q: Option<String>,
}

impl RequestFilter {
    /// The statuses asked for, both ends included.
    pub fn statuses(&self) -> Result<(i64, i64), Problem> {
        let bad = || {
            let detail = "`status` is a status such as 404, a class such as 4xx, or `error`.";
            Problem::new(plinth_kernel::Code::InvalidParameter, detail)
                .field(plinth_kernel::FieldError::parameter("status", "invalid_value", detail))
        };
        Ok(match self.status.as_deref() {
            None => (0, 999),
            Some("error") => (400, 999),
            Some(text) => match (text.strip_suffix("xx"), text.parse::<i64>()) {
                (Some(class), _) => {
                    let class: i64 = class.parse().ok().filter(|c| (1..=5).contains(c)).ok_or_else(bad)?;
                    (class * 100, class * 100 + 99)
                }
                (None, Ok(status)) if (100..=599).contains(&status) && text.len() == 3 => (status, status),
                _ => return Err(bad()),
            },
        })
    }
}

const NEWEST_FIRST: &str = "SELECT id, operation, method, path, status, code, duration_us, trace_id, span_id, actor, client_ip,
        user_agent, client_request_id, version, error, idempotency_key, created_at
    FROM (SELECT * FROM gateway_requests WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3) AS recent
    WHERE status BETWEEN $4 AND $5 AND ($6 = '' OR operation = $6)
      AND ($7 = '' OR lower(path) LIKE $7 ESCAPE '!' OR lower(actor) LIKE $7 ESCAPE '!' OR code LIKE $7 ESCAPE '!'
        OR lower(error) LIKE $7 ESCAPE '!' OR id LIKE $7 ESCAPE '!' OR trace_id LIKE $7 ESCAPE '!'
        OR lower(client_request_id) LIKE $7 ESCAPE '!')
    ORDER BY id DESC LIMIT $8";

const OLDEST_FIRST: &str = "SELECT id, operation, method, path, status, code, duration_us, trace_id, span_id, actor, client_ip,
        user_agent, client_request_id, version, error, idempotency_key, created_at
    FROM (SELECT * FROM gateway_requests WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3) AS recent
    WHERE status BETWEEN $4 AND $5 AND ($6 = '' OR operation = $6)
      AND ($7 = '' OR lower(path) LIKE $7 ESCAPE '!' OR lower(actor) LIKE $7 ESCAPE '!' OR code LIKE $7 ESCAPE '!'
        OR lower(error) LIKE $7 ESCAPE '!' OR id LIKE $7 ESCAPE '!' OR trace_id LIKE $7 ESCAPE '!'
        OR lower(client_request_id) LIKE $7 ESCAPE '!')
    ORDER BY id LIMIT $8";

/// Requests of a tenant.
pub fn list(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    filter: &RequestFilter,
    keyset: &Keyset,
) -> Result<Vec<RequestRecord>, Problem> {
    let (from, to) = filter.statuses()?;
    if filter.q.as_ref().is_some_and(|q| q.chars().count() > SEARCH_MAX_CHARS) {
        let detail = format!("At most {SEARCH_MAX_CHARS} characters.");
        let fault = plinth_kernel::FieldError::parameter("q", "too_long", detail.clone());
        return Err(Problem::new(plinth_kernel::Code::InvalidParameter, detail).field(fault));
    }
    let like = filter.q.as_deref().filter(|q| !q.is_empty()).map_or(String::new(), contains);
    let operation = filter.operation.as_deref().unwrap_or("");
    let statement = if keyset.descending { NEWEST_FIRST } else { OLDEST_FIRST };
    Ok(tx.all(
        statement,
        args![tenant, &keyset.after, SEARCHED_MAX, from, to, operation, &like, keyset.fetch],
    )?)
}

/// The pattern of "contains", with the wildcards of what is searched for taken literally.
fn contains(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// One request of a tenant.
pub fn get(tx: &mut Tx<'_>, tenant: &TenantId, id: &str) -> Result<RequestRecord, Problem> {
    let id: RequestId = id.parse().map_err(|_| Problem::not_found("request"))?;
    let found = tx.opt(
        "SELECT id, operation, method, path, status, code, duration_us, trace_id, span_id, actor, client_ip,
            user_agent, client_request_id, version, error, idempotency_key, created_at
         FROM gateway_requests WHERE tenant_id = $1 AND id = $2",
        args![tenant, &id],
    )?;
    found.ok_or_else(|| Problem::not_found("request"))
}

/// The requests of a trace, as steps of its timeline.
pub fn spans(tx: &mut Tx<'_>, tenant: &TenantId, trace: &TraceId) -> Result<Vec<TraceSpan>, Problem> {
    let requests: Vec<RequestRecord> = tx.all(
        "SELECT id, operation, method, path, status, code, duration_us, trace_id, span_id, actor, client_ip,
            user_agent, client_request_id, version, error, idempotency_key, created_at
         FROM gateway_requests WHERE tenant_id = $1 AND trace_id = $2 ORDER BY id LIMIT $3",
        args![tenant, &trace.to_string(), SPANS_MAX],
    )?;
    Ok(requests.into_iter().map(span).collect())
}

/// A part of the log, of all tenants, in the order of (`created_at`, id).
#[derive(Debug, Clone)]
pub struct LogPart<'a> {
    /// Begins behind this request.
    pub after: (Micros, &'a str),
    /// Ends before this time.
    pub until: Micros,
    /// Shortest duration, in microseconds.
    pub duration_us_min: i64,
    /// Longest duration, in microseconds.
    pub duration_us_max: i64,
    /// At most so many.
    pub limit: i64,
}

/// A request with what only the operator sees.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedRequest {
    /// The request.
    pub request: RequestRecord,
    /// The tenant, when it became known.
    pub tenant: Option<TenantId>,
    /// The caller's span that the request belongs to.
    pub parent_span_id: Option<String>,
}

impl FromRow for LoggedRequest {
    fn from_row(row: &Row<'_>) -> plinth_store::Result<Self> {
        let (tenant, parent): (String, String) = (row.get(17)?, row.get(18)?);
        Ok(Self {
            request: RequestRecord::from_row(row)?,
            tenant: tenant.parse().ok(),
            parent_span_id: (!parent.is_empty()).then_some(parent),
        })
    }
}

/// A part of the log. Rows are written when a request has ended, but ordered by when it came: what is read up to a
/// time that lies further back than the longest duration asked for is complete.
pub fn logged(tx: &mut Tx<'_>, part: &LogPart<'_>) -> Result<Vec<LoggedRequest>, Problem> {
    let (after, id) = part.after;
    let (from, to) = (part.duration_us_min, part.duration_us_max);
    Ok(tx.all(
        "SELECT id, operation, method, path, status, code, duration_us, trace_id, span_id, actor, client_ip,
            user_agent, client_request_id, version, error, idempotency_key, created_at, tenant_id, parent_span_id
         FROM gateway_requests WHERE created_at >= $1 AND created_at < $3 AND (created_at > $1 OR id > $2)
            AND duration_us BETWEEN $4 AND $5
         ORDER BY created_at, id LIMIT $6",
        args![after, id, part.until, from, to, part.limit],
    )?)
}

/// Requests shown of one trace.
const SPANS_MAX: i64 = 200;

fn span(request: RequestRecord) -> TraceSpan {
    let mut attributes = serde_json::Map::new();
    attributes.insert("request_id".into(), request.id.to_string().into());
    attributes.insert("method".into(), request.method.clone().into());
    attributes.insert("path".into(), request.path.clone().into());
    attributes.insert("status".into(), request.status.into());
    attributes.insert("actor".into(), request.actor.into());
    if let Some(problem) = request.problem {
        attributes.insert("error".into(), problem.code.into());
    }
    TraceSpan {
        id: request.span_id,
        parent_id: None,
        kind: SpanKind::Request,
        name: request.operation.unwrap_or_else(|| format!("{} {}", request.method, request.path)),
        status: if request.status >= 400 { SpanStatus::Error } else { SpanStatus::Ok },
        started_at: request.created_at,
        ended_at: Some(Micros(request.created_at.0.saturating_add((request.duration_ms * 1_000.0) as i64))),
        attributes,
    }
}

/// Writes a batch.
pub(super) fn insert(tx: &mut Tx<'_>, entries: &[LogEntry]) -> plinth_store::Result<()> {
    tx.exec_many(
        "INSERT INTO gateway_requests (tenant_id, id, operation, method, path, status, code, duration_us, trace_id,
            span_id, actor, client_ip, user_agent, client_request_id, version, error, idempotency_key, created_at,
            parent_span_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
        entries.iter().map(row),
    )?;
    Ok(())
}

fn row(entry: &LogEntry) -> Vec<Arg<'_>> {
    args![
        &entry.tenant,
        &entry.id,
        &entry.operation,
        &entry.method,
        &entry.path,
        i64::from(entry.status),
        &entry.code,
        entry.duration_us,
        &entry.trace_id,
        &entry.span_id,
        &entry.actor,
        &entry.client_ip,
        &entry.user_agent,
        &entry.client_request_id,
        &entry.version,
        &entry.error,
        &entry.idempotency_key,
        entry.created_at,
        &entry.parent_span_id
    ]
    .to_vec()
}

/// Forgets requests that came before `before`, a batch at a time; returns how many.
pub async fn sweep(store: &Store, before: Micros) -> Result<u64, Problem> {
    let mut removed = 0;
    loop {
        let edge: Option<(Micros,)> = store
            .get(
                "SELECT created_at FROM gateway_requests WHERE created_at < $1 ORDER BY created_at LIMIT 1 OFFSET $2",
                owned![before, limits::LOG_SWEEP_BATCH],
            )
            .await?;
        // Up to and including the edge, so that equal times cannot make the loop stand still.
        let (until, last) = edge.map_or((before, true), |(at,)| (Micros(at.0 + 1).min(before), false));
        let rows = store
            .write(move |tx| tx.exec("DELETE FROM gateway_requests WHERE created_at < $1", args![until]))
            .await
            .map_err(|error: plinth_store::Error| Problem::from(error))?;
        removed += rows;
        if last || rows == 0 {
            return Ok(removed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_read_in_three_ways() {
        let read = |status: &str| {
            RequestFilter { status: Some(status.into()), ..RequestFilter::default() }.statuses()
        };
        assert_eq!(read("404").unwrap(), (404, 404));
        assert_eq!(read("5xx").unwrap(), (500, 599));
        assert_eq!(read("error").unwrap(), (400, 999));
        for bad in ["", "xx", "9xx", "4x", "40", "4040", "-404", "+44", "all"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_searched_for_is_taken_literally() {
        assert_eq!(contains("50%_Off!"), "%50!%!_off!!%");
    }
}
