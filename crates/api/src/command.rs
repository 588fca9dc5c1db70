//! Commands: the idempotency row, the effect, its events and the stored answer in **one** unit of work.
//!
//! What happens when the process dies:
//! - before the commit: nothing was written; the caller's retry runs the command for the first time;
//! - after the commit, before the answer left: the retry finds the stored answer and gets it, marked
//!   `Idempotency-Replayed: true`.
//!
//! There is no third case, since there is no second transaction. A concurrent duplicate waits for the first one's
//! commit: on SQLite because there is one writer, on PostgreSQL because the insert of the same key waits for it.
//!
//! Stored are successes and refusals by the domain (402, 404, 409, 410, 412, 422, 428). A refusal that a retry may turn
//! into a success is not stored: faults of ours, rate limits, overload.

use crate::{
    context::{RequestContext, Sealer},
    fingerprint, json, limits,
    problem::{ApiError, ApiResult},
    strict_json,
};
use axum::{
    extract::{FromRequest, Request},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use plinth_kernel::{Code, Micros, Problem};
use plinth_store::{Store, Tx, args};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;

/// Marks an answer that was stored by an earlier request.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Names the request that the stored answer was made for.
pub const ORIGINAL_REQUEST: HeaderName = HeaderName::from_static("original-request");

/// For commands without a body.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoBody;

/// How a command's input is read.
pub trait Input: Sized + Send + Sync + 'static {
    /// Reads the body.
    fn read(bytes: &Bytes) -> Result<Self, Problem>;
    /// Whether a body is expected at all.
    const HAS_BODY: bool;
}

impl Input for NoBody {
    const HAS_BODY: bool = false;
    fn read(bytes: &Bytes) -> Result<Self, Problem> {
        // `{}` is what careful clients send for "nothing".
        if bytes.is_empty() || bytes.trim_ascii() == b"{}" {
            Ok(Self)
        } else {
            Err(Problem::new(Code::InvalidRequest, "This operation takes no body."))
        }
    }
}

impl<T: DeserializeOwned + Send + Sync + 'static> Input for T {
    const HAS_BODY: bool = true;
    fn read(bytes: &Bytes) -> Result<Self, Problem> {
        strict_json::from_slice(bytes)
    }
}

/// A command: the context, the input and the fingerprint that its idempotency key is bound to.
#[derive(Debug, Clone)]
pub struct Command<T> {
    /// The request.
    pub context: Arc<RequestContext>,
    /// The input.
    pub input: T,
    fingerprint: [u8; 32],
}

impl<S: Send + Sync, T: Input> FromRequest<S> for Command<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let context = request
            .extensions()
            .get::<Arc<RequestContext>>()
            .cloned()
            .ok_or_else(|| Problem::internal("the route is served without the gateway in front of it"))?;
        if T::HAS_BODY {
            json::require_json(&request)?;
        }
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let bytes = json::read_body(request).await?;
        let input = T::read(&bytes)?;
        Ok(Self { fingerprint: fingerprint::of(&method, &uri, context.version, &bytes), context, input })
    }
}

/// The answer of a command, complete enough to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    sealed: bool,
}

impl Reply {
    fn json<B: Serialize>(status: StatusCode, body: &B) -> Result<Self, Problem> {
        let body = serde_json::to_vec(body).map_err(Problem::internal)?;
        Ok(Self {
            status: status.as_u16(),
            headers: vec![("content-type".into(), "application/json".into())],
            body,
            sealed: false,
        })
    }

    /// 200 with a body.
    pub fn ok<B: Serialize>(body: &B) -> Result<Self, Problem> {
        Self::json(StatusCode::OK, body)
    }

    /// 201 with a body and where the new thing is.
    pub fn created<B: Serialize>(location: &str, body: &B) -> Result<Self, Problem> {
        Ok(Self::json(StatusCode::CREATED, body)?.with_header(header::LOCATION, location))
    }

    /// 202 with a body: the work goes on.
    pub fn accepted<B: Serialize>(body: &B) -> Result<Self, Problem> {
        Self::json(StatusCode::ACCEPTED, body)
    }

    /// 204.
    #[must_use]
    pub fn no_content() -> Self {
        Self { status: 204, headers: Vec::new(), body: Vec::new(), sealed: false }
    }

    /// Says that the body holds a secret: it is stored sealed.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.sealed = true;
        self
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Adds a header that is stored with the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name.as_str().to_owned(), value.into()));
        self
    }

    /// Adds the entity tag of the new state.
    #[must_use]
    pub fn with_etag(self, context: &RequestContext, rev: i64) -> Self {
        self.with_header(header::ETAG, crate::conditional::entity_tag(context, rev))
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, self.body).into_response();
        // Our own content type or none: axum's default for bytes is not ours.
        response.headers_mut().remove(header::CONTENT_TYPE);
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// How a unit of work ended.
enum Outcome {
    /// Decided now.
    Fresh(Decision),
    /// Decided by an earlier request.
    Replayed { decision: Decision, original_request: String },
}

/// What is stored: an answer, or a refusal by the domain.
enum Decision {
    Done(Reply),
    Refused(Problem),
}

impl<T: Send + Sync + 'static> Command<T> {
    /// Runs the command durably. `decide` may run more than once (the store retries it), so it must not have effects
    /// outside `tx`; whatever leaves the process is a job or an event.
    pub async fn run<F>(self, store: &Store, decide: F) -> ApiResult<Response>
    where
        F: FnMut(&mut Tx<'_>, &RequestContext, &T) -> Result<Reply, Problem> + Send + 'static,
    {
        let Self { context, input, fingerprint } = self;
        let mut decide = decide;
        let outcome = store
            .write(move |tx| match &context.idempotency_key {
                None => decide(tx, &context, &input).map(|reply| Outcome::Fresh(Decision::Done(reply))),
                Some(key) => once(tx, &context, key, &fingerprint, |tx| decide(tx, &context, &input)),
            })
            .await?;
        answer(outcome)
    }
}

fn answer(outcome: Outcome) -> ApiResult<Response> {
    let (decision, original) = match outcome {
        Outcome::Fresh(decision) => (decision, None),
        Outcome::Replayed { decision, original_request } => (decision, Some(original_request)),
    };
    let mut response = match decision {
        Decision::Done(reply) => reply.into_response(),
        Decision::Refused(problem) => ApiError::from(problem).into_response(),
    };
    if let Some(original) = original {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        if let Ok(value) = HeaderValue::try_from(original) {
            response.headers_mut().insert(ORIGINAL_REQUEST, value);
        }
    }
    Ok(response)
}

/// Whether a refusal is the domain's last word on this request, so that a retry must hear it again.
fn is_final(problem: &Problem) -> bool {
    !problem.code.retryable() && matches!(problem.status(), 402 | 404 | 409 | 410 | 412 | 422 | 428)
}

/// Decides once for this key.
fn once(
    tx: &mut Tx<'_>,
    context: &RequestContext,
    key: &str,
    fingerprint: &[u8; 32],
    mut decide: impl FnMut(&mut Tx<'_>) -> Result<Reply, Problem>,
) -> Result<Outcome, Problem> {
    let row = KeyRow {
        tenant: context.tenant().as_ref(),
        operation: &context.operation.id,
        caller: &context.idempotency_caller(),
        key,
    };
    let seal = Seal { sealer: &context.sealer, actor: &context.principal.actor.to_string() };
    decide_once(tx, &row, fingerprint, context.request_id.as_ref(), seal, &mut decide)
}

/// As [`Command::run`] for what does not come in as a JSON body, such as a form posted by a page without JavaScript:
/// decides once for this key inside the caller's own unit of work.
pub fn once_in(
    tx: &mut Tx<'_>,
    key: &KeyRow<'_>,
    fingerprint: &[u8; 32],
    request_id: &str,
    mut decide: impl FnMut(&mut Tx<'_>) -> Result<Reply, Problem>,
) -> Result<Reply, Problem> {
    let seal = Seal { sealer: &Sealer::default(), actor: "" };
    match decide_once(tx, key, fingerprint, request_id, seal, &mut decide)? {
        Outcome::Fresh(Decision::Done(reply)) | Outcome::Replayed { decision: Decision::Done(reply), .. } => {
            Ok(reply)
        }
        Outcome::Fresh(Decision::Refused(problem))
        | Outcome::Replayed { decision: Decision::Refused(problem), .. } => Err(problem),
    }
}

fn decide_once(
    tx: &mut Tx<'_>,
    row: &KeyRow<'_>,
    fingerprint: &[u8; 32],
    request_id: &str,
    seal: Seal<'_>,
    decide: &mut dyn FnMut(&mut Tx<'_>) -> Result<Reply, Problem>,
) -> Result<Outcome, Problem> {
    if !row.insert(tx, fingerprint, request_id)? {
        return row.replay(tx, fingerprint, seal);
    }
    // A refusal undoes the effect but keeps the key row: the savepoint is the line between the two.
    let decision = match tx.savepoint(|tx| decide(tx)) {
        Ok(reply) => Decision::Done(reply),
        Err(problem) if is_final(&problem) => Decision::Refused(problem),
        Err(problem) => return Err(problem),
    };
    row.store(tx, &decision, seal)?;
    Ok(Outcome::Fresh(decision))
}

/// What an idempotency key is scoped to.
#[derive(Debug, Clone, Copy)]
pub struct KeyRow<'a> {
    /// Id of the tenant.
    pub tenant: &'a str,
    /// Operation id.
    pub operation: &'a str,
    /// [`RequestContext::idempotency_caller`].
    pub caller: &'a str,
    /// The key itself.
    pub key: &'a str,
}

/// How an answer that holds a secret is stored: sealed for its row, and for who asked. Keys and sessions of a tenant
/// share their rows, but a secret is only repeated to the one who was given it.
#[derive(Clone, Copy)]
struct Seal<'a> {
    sealer: &'a Sealer,
    actor: &'a str,
}

impl Seal<'_> {
    fn close(self, row: &KeyRow<'_>, body: &[u8]) -> Result<Vec<u8>, Problem> {
        self.sealer.seal(&self.place(row), body)
    }

    fn open(self, row: &KeyRow<'_>, sealed: &[u8]) -> Result<Vec<u8>, Problem> {
        self.sealer.open(&self.place(row), sealed).map_err(|_| {
            let detail = "Somebody else has used this key, and the answer holds a secret. Use a new key.";
            Problem::new(Code::IdempotencyKeyReused, detail)
        })
    }

    fn place(self, row: &KeyRow<'_>) -> String {
        format!("idempotency|{}|{}|{}|{}|{}", row.tenant, row.operation, row.caller, row.key, self.actor)
    }
}

/// What a stored answer looks like in the table.
type Stored = (Vec<u8>, String, Option<i64>, Option<String>, Option<Vec<u8>>, bool);

impl KeyRow<'_> {
    /// Claims the key. False when somebody has it already; by then their unit of work is committed. A row past its
    /// time that the sweep has not met yet gives way.
    fn insert(&self, tx: &mut Tx<'_>, fingerprint: &[u8; 32], request_id: &str) -> Result<bool, Problem> {
        let now = tx.now();
        let expired_before = now.plus_seconds(-limits::IDEMPOTENCY_TTL_HOURS * 3_600);
        let claimed = tx.exec(
            "INSERT INTO api_idempotency (tenant_id, operation, caller, idem_key, fingerprint, request_id, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (tenant_id, operation, caller, idem_key) DO UPDATE
             SET fingerprint = excluded.fingerprint, request_id = excluded.request_id, created_at = excluded.created_at,
                 status = NULL, headers = NULL, body = NULL
             WHERE api_idempotency.created_at < $8",
            args![
                self.tenant,
                self.operation,
                self.caller,
                self.key,
                &fingerprint[..],
                request_id,
                now,
                expired_before
            ],
        )?;
        Ok(claimed == 1)
    }

    fn store(&self, tx: &mut Tx<'_>, decision: &Decision, seal: Seal<'_>) -> Result<(), Problem> {
        let sealed = matches!(decision, Decision::Done(reply) if reply.sealed);
        let (status, headers, body) = match decision {
            Decision::Done(reply) => {
                let headers = serde_json::to_string(&reply.headers).map_err(Problem::internal)?;
                let body = if sealed { seal.close(self, &reply.body)? } else { reply.body.clone() };
                (i64::from(reply.status), headers, body)
            }
            // A refusal is stored as itself, so that its replay is rendered with the new request's id.
            Decision::Refused(problem) => (
                0,
                String::new(),
                serde_json::to_vec(&StoredProblem::from(problem)).map_err(Problem::internal)?,
            ),
        };
        tx.exec(
            "UPDATE api_idempotency SET status = $5, headers = $6, body = $7, sealed = $8
             WHERE tenant_id = $1 AND operation = $2 AND caller = $3 AND idem_key = $4",
            args![self.tenant, self.operation, self.caller, self.key, status, &headers, &body, sealed],
        )?;
        Ok(())
    }

    fn replay(&self, tx: &mut Tx<'_>, fingerprint: &[u8; 32], seal: Seal<'_>) -> Result<Outcome, Problem> {
        let (stored_fingerprint, original_request, status, headers, body, sealed): Stored = tx.one(
            "SELECT fingerprint, request_id, status, headers, body, sealed FROM api_idempotency
             WHERE tenant_id = $1 AND operation = $2 AND caller = $3 AND idem_key = $4",
            args![self.tenant, self.operation, self.caller, self.key],
        )?;
        if stored_fingerprint != fingerprint {
            return Err(Problem::new(
                Code::IdempotencyKeyReused,
                "This Idempotency-Key was used with another request before. Use a new key for a new request.",
            ));
        }
        let body = body.unwrap_or_default();
        let body = if sealed { seal.open(self, &body)? } else { body };
        let decision = match status {
            // Cannot be: the row and its answer were committed together.
            None => return Err(Problem::internal("an idempotency row without an answer was committed")),
            Some(0) => Decision::Refused(
                serde_json::from_slice::<StoredProblem>(&body).map_err(Problem::internal)?.into(),
            ),
            Some(status) => Decision::Done(Reply {
                status: u16::try_from(status).map_err(Problem::internal)?,
                headers: serde_json::from_str(headers.as_deref().unwrap_or("[]"))
                    .map_err(Problem::internal)?,
                body,
                sealed,
            }),
        };
        Ok(Outcome::Replayed { decision, original_request })
    }
}

/// A refusal at rest.
#[derive(serde::Serialize, serde::Deserialize)]
struct StoredProblem {
    code: String,
    detail: String,
    errors: Vec<plinth_kernel::FieldError>,
    extensions: serde_json::Map<String, serde_json::Value>,
}

impl From<&Problem> for StoredProblem {
    fn from(problem: &Problem) -> Self {
        Self {
            code: problem.code.to_string(),
            detail: problem.detail.clone(),
            errors: problem.errors.clone(),
            extensions: problem.extensions.clone(),
        }
    }
}

impl From<StoredProblem> for Problem {
    fn from(stored: StoredProblem) -> Self {
        let code = Code::ALL.iter().copied().find(|c| c.as_str() == stored.code).unwrap_or(Code::Internal);
        Self { errors: stored.errors, extensions: stored.extensions, ..Self::new(code, stored.detail) }
    }
}

/// When a stored answer made now may be forgotten.
#[must_use]
pub fn expires_at(now: Micros) -> Micros {
    now.plus_seconds(limits::IDEMPOTENCY_TTL_HOURS * 3_600)
}
