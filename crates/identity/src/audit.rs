//! The audit trail: who changed what, when, from where; append-only and chained per tenant.
//!
//! Every administrative act of every system calls [`record`] in its own transaction, so an act without an entry
//! cannot be committed. Entries of one tenant queue up on its head row; administrative acts are rare enough for that.

use plinth_kernel::{Actor, AuditId, Micros, Problem, TenantId};
use plinth_store::{Arg, Store, Tx, args};
use serde::Serialize;
use serde_json::Value;

use crate::by::By;
use crate::check::{clipped, from_text};
use crate::limits::{AUDIT_TEXT_BYTES_MAX, AUDIT_VERIFY_PAGE};
use crate::model::audit::{Canonical, ChainHash, GENESIS, digest, hex};
use crate::page::{Keyset, Listed, PageRequest, keyset, list};

/// Records an act: `action` is `system.noun.verb_past`, `target` the id of what was changed. Of `before` and `after`
/// only digests are kept, so no secret and nothing that must be erased later gets into the trail.
pub fn record(
    tx: &mut Tx<'_>,
    by: &By,
    action: &'static str,
    target: &str,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Result<AuditId, plinth_store::Error> {
    let (sequence, previous): (i64, Vec<u8>) = tx.one(
        "INSERT INTO audit_heads (tenant_id, sequence, hash) VALUES ($1, 1, $2)
         ON CONFLICT (tenant_id) DO UPDATE SET sequence = audit_heads.sequence + 1 RETURNING sequence, hash",
        args![&by.tenant, &GENESIS],
    )?;
    let row = EntryRow {
        sequence,
        id: tx.id(),
        at: tx.now(),
        actor: by.actor.to_string(),
        action: action.to_owned(),
        target: clipped(target, AUDIT_TEXT_BYTES_MAX).to_owned(),
        before_digest: before.map(digest),
        after_digest: after.map(digest),
        request_id: by.request_id.as_deref().map(|id| clipped(id, AUDIT_TEXT_BYTES_MAX).to_owned()),
        ip: by.ip.map(|ip| ip.to_string()),
        hash: Vec::new(),
    };
    let hash = row.chained(&by.tenant, &as_hash(&previous));
    tx.exec(
        "INSERT INTO audit_entries (tenant_id, sequence, id, at, actor, action, target, before_digest, after_digest,
             request_id, ip, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        args![
            &by.tenant, row.sequence, &row.id, row.at, &row.actor, &row.action, &row.target, &row.before_digest,
            &row.after_digest, &row.request_id, &row.ip, &hash
        ],
    )?;
    tx.exec("UPDATE audit_heads SET hash = $2 WHERE tenant_id = $1", args![&by.tenant, &hash])?;
    Ok(row.id)
}

/// An entry as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AuditEntry {
    /// Always `audit_entry`.
    pub object: &'static str,
    /// Its id.
    pub id: AuditId,
    /// Its place in the tenant's chain: 1, 2, 3 … without a gap.
    pub sequence: i64,
    /// When.
    pub created_at: Micros,
    /// Who, as `member:mbr_…`.
    pub actor: String,
    /// What, as `identity.key.revoked`.
    pub action: String,
    /// The id of what was changed.
    pub target: String,
    /// SHA-256 of its state before.
    pub before_digest: Option<String>,
    /// SHA-256 of its state after.
    pub after_digest: Option<String>,
    /// The request.
    pub request_id: Option<String>,
    /// The address it came from.
    pub ip: Option<String>,
    /// `SHA256(hash of the entry before | this entry)`.
    pub hash: String,
}

struct EntryRow {
    sequence: i64,
    id: AuditId,
    at: Micros,
    actor: String,
    action: String,
    target: String,
    before_digest: Option<String>,
    after_digest: Option<String>,
    request_id: Option<String>,
    ip: Option<String>,
    hash: Vec<u8>,
}
plinth_store::row!(EntryRow {
    sequence,
    id,
    at,
    actor,
    action,
    target,
    before_digest,
    after_digest,
    request_id,
    ip,
    hash
});

macro_rules! select_entries {
    ($rest:literal) => {
        concat!(
            "SELECT sequence, id, at, actor, action, target, before_digest, after_digest, request_id, ip, hash
             FROM audit_entries WHERE tenant_id = $1 ",
            $rest
        )
    };
}

const LIST: Keyset = keyset!(select_entries!(""), "sequence");
const WALK: &str = select_entries!("AND sequence > $2 AND sequence <= $3 ORDER BY sequence LIMIT $4");

impl EntryRow {
    fn chained(&self, tenant: &TenantId, previous: &ChainHash) -> ChainHash {
        Canonical {
            tenant: tenant.as_ref(),
            sequence: self.sequence,
            id: self.id.as_ref(),
            at: self.at,
            actor: &self.actor,
            action: &self.action,
            target: &self.target,
            before: self.before_digest.as_deref(),
            after: self.after_digest.as_deref(),
            request_id: self.request_id.as_deref(),
            ip: self.ip.as_deref(),
        }
        .hash(previous)
    }

    fn shown(self) -> Result<AuditEntry, Problem> {
        let _: Actor = from_text(&self.actor)?;
        Ok(AuditEntry {
            object: "audit_entry",
            id: self.id,
            sequence: self.sequence,
            created_at: self.at,
            actor: self.actor,
            action: self.action,
            target: self.target,
            before_digest: self.before_digest,
            after_digest: self.after_digest,
            request_id: self.request_id,
            ip: self.ip,
            hash: hex(&self.hash),
        })
    }
}

/// A page of the trail; `after` is a sequence in decimal.
pub fn list_entries(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    page: &PageRequest,
) -> Result<Listed<AuditEntry>, Problem> {
    let after = match &page.after {
        None => None,
        Some(text) => Some(Arg::Int(text.parse().map_err(|_| invalid_cursor())?)),
    };
    list::<EntryRow>(tx, &LIST, tenant.as_ref(), page, after)?.try_map(EntryRow::shown)
}

fn invalid_cursor() -> Problem {
    Problem::new(plinth_kernel::Code::InvalidCursor, "The cursor does not belong to this list.")
}

/// What a walk along a tenant's chain found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ChainReport {
    /// Entries that are intact, counted from the first.
    pub intact: i64,
    /// The first sequence that does not fit: changed, removed, slipped in, or cut off at the end.
    pub broken_at: Option<i64>,
    /// The hash of the last intact entry. Kept elsewhere, it proves later that nothing before it was rewritten.
    pub head: String,
}

/// Walks a tenant's whole chain. It reads page by page without holding a snapshot, so it may run beside everything.
pub async fn verify_chain(store: &Store, tenant: &TenantId) -> Result<ChainReport, Problem> {
    // The head is read first: entries appended while walking are not missed from it.
    let head: Option<(i64, Vec<u8>)> = {
        let tenant = tenant.clone();
        store
            .read(move |tx| {
                tx.opt("SELECT sequence, hash FROM audit_heads WHERE tenant_id = $1", args![&tenant])
                    .map_err(Problem::from)
            })
            .await?
    };
    let (length, head_hash) = head.unwrap_or_default();
    let mut walk = Walk { previous: GENESIS, intact: 0 };
    while walk.intact < length {
        let (owner, from, to) = (tenant.clone(), walk.intact, length);
        let rows: Vec<EntryRow> = store
            .read(move |tx| tx.all(WALK, args![&owner, from, to, AUDIT_VERIFY_PAGE]).map_err(Problem::from))
            .await?;
        if rows.is_empty() || !rows.iter().all(|row| walk.step(tenant, row)) {
            return Ok(walk.report(true));
        }
    }
    let tail_fits = length == 0 || head_hash == walk.previous;
    Ok(walk.report(!tail_fits))
}

struct Walk {
    previous: ChainHash,
    intact: i64,
}

impl Walk {
    fn step(&mut self, tenant: &TenantId, row: &EntryRow) -> bool {
        let hash = row.chained(tenant, &self.previous);
        let fits = row.sequence == self.intact + 1 && row.hash == hash;
        if fits {
            self.previous = hash;
            self.intact += 1;
        }
        fits
    }

    fn report(self, broken: bool) -> ChainReport {
        ChainReport {
            intact: self.intact,
            broken_at: broken.then_some(self.intact + 1),
            head: hex(&self.previous),
        }
    }
}

/// A hash column; one of another length is damage, which the chain then shows.
fn as_hash(bytes: &[u8]) -> ChainHash {
    bytes.try_into().unwrap_or(GENESIS)
}
