//! The envelope of an event: a fact that was committed.

use crate::{Actor, EventId, Micros, TenantId, TraceContext};
use serde_json::Value;

/// An event about to be appended by the unit of work that makes it true.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Whose event it is.
    pub tenant: TenantId,
    /// `system.noun.verb_past`, for example `forms.submission.completed`.
    pub kind: &'static str,
    /// Version of the shape of `data`.
    pub version: u32,
    /// The key that orders: events of one tenant and subject are seen in the order of their commits.
    pub subject: String,
    /// What happened, complete enough that a consumer need not ask.
    pub data: Value,
    /// Who caused it.
    pub actor: Actor,
    /// The trace it belongs to.
    pub trace: TraceContext,
    /// The event that led to this one, where one did.
    pub causation: Option<EventId>,
}

/// An event of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its id, sortable by time.
    pub id: EventId,
    /// Which partition of the log it stands in; a hash of tenant and subject.
    pub partition: u16,
    /// Its place in the partition: 1, 2, 3 … without a gap.
    pub sequence: i64,
    /// Whose event it is.
    pub tenant: TenantId,
    /// `system.noun.verb_past`.
    pub kind: String,
    /// Version of the shape of `data`.
    pub version: u32,
    /// The key that orders.
    pub subject: String,
    /// What happened.
    pub data: Value,
    /// Who caused it.
    pub actor: Actor,
    /// The trace it belongs to.
    pub trace: TraceContext,
    /// The event that led to this one.
    pub causation: Option<EventId>,
    /// When it was appended.
    pub created_at: Micros,
}
