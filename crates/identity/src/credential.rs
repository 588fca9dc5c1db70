//! What authentication yields: a principal with the counters that limits are kept in.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64};

use arc_swap::ArcSwap;
use plinth_kernel::{KeyId, Micros, Mode, OrganisationId, Principal, SessionId, TenantId};
use serde_json::{Map, Value};

use crate::model::origin::AllowedOrigin;

/// Rate cells a holder has; the gateway decides what each is for.
pub const RATE_CELLS: usize = 4;

/// Room for the gateway's counters, kept beside the credential so that authenticating and limiting are one lookup.
///
/// `cells` are meant for GCRA theoretical arrival times, `in_flight` for a concurrency bound. They start at zero and
/// survive a change of the key or tenant they belong to; they are lost when the holder has been idle for so long that
/// its entry is evicted, which gives it a fresh burst.
#[derive(Debug, Default)]
pub struct RateCells {
    /// Theoretical arrival times, in whatever unit the gateway counts.
    pub cells: [AtomicU64; RATE_CELLS],
    /// Requests under way.
    pub in_flight: AtomicU32,
}

/// What may change about a tenant while requests are under way.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantFacts {
    /// Its name.
    pub name: String,
    /// Its settings.
    pub settings: Map<String, Value>,
    /// Origins whose pages may call the API (CORS).
    pub allowed_origins: Vec<AllowedOrigin>,
    /// Its revision.
    pub rev: i64,
}

/// A tenant in memory: one record for all its keys, sessions and tokens, so that a change reaches every one at once.
#[derive(Debug)]
pub struct TenantRecord {
    /// Its id.
    pub id: TenantId,
    /// The organisation that owns it.
    pub organisation: OrganisationId,
    /// Live or test.
    pub mode: Mode,
    /// What the tenant as a whole is limited by.
    pub cells: RateCells,
    pub(crate) facts: ArcSwap<TenantFacts>,
}

impl TenantRecord {
    /// The facts as they are now.
    pub fn facts(&self) -> Arc<TenantFacts> {
        self.facts.load_full()
    }

    /// Whether a page of this origin may call the API.
    pub fn allows_origin(&self, origin: &str) -> bool {
        self.facts.load().allowed_origins.iter().any(|allowed| allowed.matches(origin))
    }
}

/// A verified caller.
#[derive(Debug)]
pub struct Credential {
    /// Who they are and what they may do.
    pub principal: Principal,
    /// Their tenant.
    pub tenant: Arc<TenantRecord>,
    /// What they themselves are limited by.
    pub cells: Arc<RateCells>,
    /// The API key, if one was used.
    pub key: Option<KeyId>,
    /// The session, if one was used.
    pub session: Option<SessionId>,
    /// When the credential ends by itself: long-lived responses end with it.
    pub expires_at: Option<Micros>,
}
