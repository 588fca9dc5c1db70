//! The event log as people and systems read it. It is appended by the store: see [`plinth_store::Tx::emit`].

use crate::{
    error::{FlowError, Result},
    limits,
};
use plinth_kernel::{Event, EventId, TenantId};
use plinth_store::{Tx, args, event_columns};

pub use plinth_store::events::{after as read_events, heads};

/// Which events to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of this kind.
    pub kind: Option<String>,
    /// With this subject.
    pub subject: Option<String>,
}

/// A page of a tenant's events, the newest first, after the event `after`.
pub fn list_events(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    filter: &EventFilter,
    after: Option<&EventId>,
    limit: u32,
) -> Result<Vec<Event>> {
    const PAGE: &str = concat!(
        "SELECT ",
        event_columns!(),
        " FROM events WHERE tenant_id = $1 AND (CAST($2 AS TEXT) IS NULL OR kind = $2) ",
        "AND (CAST($3 AS TEXT) IS NULL OR subject = $3) AND (CAST($4 AS TEXT) IS NULL OR event_id < $4) ",
        "ORDER BY event_id DESC LIMIT $5"
    );
    let limit = i64::from(limit).min(limits::PAGE_ROWS_MAX);
    Ok(tx.all(PAGE, args![tenant, &filter.kind, &filter.subject, after, limit])?)
}

/// One event of a tenant.
pub fn get_event(tx: &mut Tx<'_>, tenant: &TenantId, id: &EventId) -> Result<Event> {
    plinth_store::events::by_id(tx, tenant, id)?.ok_or(FlowError::NotFound("event"))
}
