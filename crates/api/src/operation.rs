//! What is declared about an operation, read from the OpenAPI document: the code's own `#[utoipa::path]` is the
//! one place where an operation says its id, scope, class and limits.

use plinth_kernel::PrincipalKind;

/// Load class: when there is too much work, the higher numbers go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Health and what must never be shed.
    Critical = 0,
    /// Changes a person waits for.
    Write = 1,
    /// Reads a person waits for.
    Read = 2,
    /// Exports and lists of machines.
    Bulk = 3,
    /// Whatever can wait.
    Background = 4,
}

/// Whether an operation wants an `Idempotency-Key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idempotency {
    /// A safe method.
    NotApplicable,
    /// Taken when it is sent.
    Accepted,
    /// Refused without it: money moves or messages leave.
    Required,
}

/// One operation of the API.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Stable id, `create_form`: the CLI verb, the metric label.
    pub id: String,
    /// HTTP method in capitals.
    pub method: String,
    /// Path template, `/v1/forms/{id}`.
    pub path: String,
    /// Which kinds of caller, each with the scope it needs (empty: none).
    pub callers: Vec<(PrincipalKind, String)>,
    /// Whether it may be called without any credential.
    pub anonymous: bool,
    /// Load class.
    pub class: Class,
    /// How much of the rate limit one call takes.
    pub cost: u32,
    /// Largest body, in bytes.
    pub body_max_bytes: usize,
    /// How long it may run; streams have none.
    pub timeout_ms: Option<u64>,
    /// Idempotency.
    pub idempotency: Idempotency,
}

impl Operation {
    /// The scope that a caller of this kind needs, or `None` when that kind may not call it at all.
    #[must_use]
    pub fn scope_for(&self, kind: PrincipalKind) -> Option<&str> {
        self.callers.iter().find(|(k, _)| *k == kind).map(|(_, scope)| scope.as_str())
    }
}
