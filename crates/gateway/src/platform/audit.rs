//! The audit trail.

use super::{Platform, page_request};
use axum::extract::State;
use plinth_api::{ApiResult, Ctx, List, ListBody, PageParams, Problems};
use plinth_identity::{
    PageRequest,
    audit::{AuditEntry, list_entries},
};
use plinth_kernel::{Problem, TenantId};
use plinth_store::Tx;
use serde::Deserialize;

/// Pages that a filtered list looks at: what is rarer is found by paging on.
const PAGES_MAX: usize = 50;

/// What to look for.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditFilter {
    /// Who, exactly: `member:mbr_…`.
    #[serde(default)]
    actor: Option<String>,
    /// What, or the beginning of it: `identity.key`.
    #[serde(default)]
    #[param(example = "identity.key")]
    action: Option<String>,
}

impl AuditFilter {
    fn is_empty(&self) -> bool {
        self.actor.is_none() && self.action.is_none()
    }

    fn matches(&self, entry: &AuditEntry) -> bool {
        self.actor.as_ref().is_none_or(|actor| *actor == entry.actor)
            && self.action.as_ref().is_none_or(|action| entry.action.starts_with(action.as_str()))
    }
}

/// Lists the audit trail
///
/// Every administrative act, in a chain of hashes: `plinth doctor` verifies that nothing was changed or removed.
#[utoipa::path(
    get, path = "/v1/audit-entries", operation_id = "list_audit_entries", tag = "Audit",
    params(PageParams, AuditFilter),
    responses((status = 200, description = "A page of entries.", body = ListBody<AuditEntry>), Problems),
    security(("secret_key" = ["identity:audit:read"]), ("session" = ["identity:audit:read"])),
)]
pub(super) async fn list_audit_entries(
    State(platform): State<Platform>,
    ctx: Ctx,
    list: List<AuditFilter>,
) -> ApiResult<axum::Json<ListBody<AuditEntry>>> {
    let (tenant, request, filter) = (ctx.tenant().clone(), page_request(&list), list.filter.clone());
    let wanted = list.limit as usize + 1;
    let rows = platform.store.read(move |tx| collect(tx, &tenant, request.clone(), &filter, wanted)).await?;
    Ok(axum::Json(list.page(rows, |entry| entry.sequence.to_string())))
}

/// Reads on until `wanted` entries match, or enough was looked at.
fn collect(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    mut request: PageRequest,
    filter: &AuditFilter,
    wanted: usize,
) -> Result<Vec<AuditEntry>, Problem> {
    if !filter.is_empty() {
        request.limit = plinth_identity::limits::PAGE_MAX;
    }
    let mut rows = Vec::new();
    for _ in 0..PAGES_MAX {
        let found = list_entries(tx, tenant, &request)?;
        request.after = found.data.last().map(|entry| entry.sequence.to_string());
        rows.extend(found.data.into_iter().filter(|entry| filter.matches(entry)));
        if !found.has_more || rows.len() >= wanted {
            break;
        }
    }
    rows.truncate(wanted);
    Ok(rows)
}
