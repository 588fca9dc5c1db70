//! Who acts, and for which request.

use std::net::IpAddr;

use plinth_kernel::{Actor, NewEvent, Principal, PrincipalKind, Role, ScopeSet, TenantId, TraceContext};
use plinth_store::Tx;
use serde_json::Value;

/// The acting principal of an administrative act, with what the audit trail and the event log record of it.
#[derive(Debug, Clone)]
pub struct By {
    /// The tenant it happens in.
    pub tenant: TenantId,
    /// Who.
    pub actor: Actor,
    /// How they proved it.
    pub kind: PrincipalKind,
    /// What they may do: the bound on what they may hand out.
    pub scopes: ScopeSet,
    /// Their role, for sessions and personal keys.
    pub role: Option<Role>,
    /// The request.
    pub request_id: Option<String>,
    /// The address it came from.
    pub ip: Option<IpAddr>,
    /// The trace.
    pub trace: TraceContext,
}

impl By {
    /// An authenticated caller.
    pub fn principal(
        principal: &Principal,
        request_id: Option<String>,
        ip: Option<IpAddr>,
        trace: TraceContext,
    ) -> Self {
        Self {
            tenant: principal.tenant.clone(),
            actor: principal.actor.clone(),
            kind: principal.kind,
            scopes: principal.scopes.clone(),
            role: principal.role,
            request_id,
            ip,
            trace,
        }
    }

    /// The operator at the terminal, or a part of the product: may do everything in `tenant`.
    pub fn system(tenant: TenantId, name: impl Into<String>, trace: TraceContext) -> Self {
        Self {
            tenant,
            actor: Actor::System(name.into()),
            kind: PrincipalKind::System,
            scopes: ScopeSet::all(),
            role: None,
            request_id: None,
            ip: None,
            trace,
        }
    }

    /// Whether they count as an owner: an owner's session or personal key, or the operator.
    pub fn is_owner(&self) -> bool {
        self.role == Some(Role::Owner) || self.kind == PrincipalKind::System
    }

    pub(crate) fn emit(&self, tx: &mut Tx<'_>, kind: &'static str, subject: impl Into<String>, data: Value) {
        tx.emit(NewEvent {
            tenant: self.tenant.clone(),
            kind,
            version: 1,
            subject: subject.into(),
            data,
            actor: self.actor.clone(),
            trace: self.trace,
            causation: None,
        });
    }
}
