//! Identity, before it is there: what a key may be granted is read from the contract, the contract from the systems, and
//! two of those ask identity. They ask through here.

use plinth_identity::{Identity, PageRequest};
use plinth_kernel::{
    Code, Problem, TenantId,
    ports::{BoxFuture, RealtimeAuth, RealtimeDenial, RealtimeHeaders, RealtimeIdentity},
};
use plinth_notify::{Directory, Recipient};
use plinth_store::Tx;
use std::sync::{Arc, OnceLock};

/// Most members that are told of one event.
const MEMBERS_MAX: u32 = 100;

/// A place for identity. Cheap to clone.
#[derive(Clone, Default)]
pub struct LateIdentity(Arc<OnceLock<Identity>>);

impl LateIdentity {
    /// Fills the place; the first one stays.
    pub fn fill(&self, identity: Identity) {
        let _ = self.0.set(identity);
    }
}

impl RealtimeAuth for LateIdentity {
    fn connect<'a>(
        &'a self,
        token: &'a str,
        headers: &'a RealtimeHeaders,
    ) -> BoxFuture<'a, Result<RealtimeIdentity, RealtimeDenial>> {
        match self.0.get() {
            Some(identity) => identity.connect(token, headers),
            None => Box::pin(async { Err(RealtimeDenial::Unavailable) }),
        }
    }

    fn subscribe<'a>(
        &'a self,
        who: &'a RealtimeIdentity,
        channel: &'a str,
        token: &'a str,
    ) -> BoxFuture<'a, Result<(), RealtimeDenial>> {
        match self.0.get() {
            Some(identity) => identity.subscribe(who, channel, token),
            None => Box::pin(async { Err(RealtimeDenial::Unavailable) }),
        }
    }
}

/// The members of a tenant's organisation, for notifications.
pub struct Members {
    identity: LateIdentity,
    operator: String,
}

impl Members {
    /// `operator` is told while there is no member.
    pub fn new(identity: LateIdentity, operator: String) -> Self {
        Self { identity, operator }
    }
}

impl Directory for Members {
    fn members(&self, tx: &mut Tx<'_>, tenant: &TenantId) -> Result<Vec<Recipient>, Problem> {
        let identity = self.identity.0.get().ok_or_else(|| Problem::internal("identity is not open yet"))?;
        let page = PageRequest { limit: MEMBERS_MAX, ..PageRequest::default() };
        let members = match identity.list_members(tx, tenant, &page) {
            Ok(listed) => listed.data,
            // A tenant that was removed while its event was on its way has nobody to tell.
            Err(problem) if problem.code == Code::NotFound => Vec::new(),
            Err(problem) => return Err(problem),
        };
        let recipient = |member: plinth_identity::Member| Recipient {
            member: Some(member.id),
            email: member.email,
            name: member.name,
            role: Some(member.role),
        };
        Ok(members.into_iter().map(recipient).collect())
    }

    fn fallback_address(&self) -> Option<String> {
        Some(self.operator.clone())
    }
}
