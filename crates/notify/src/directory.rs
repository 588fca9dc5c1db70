//! Who the members of a tenant are: asked through a port, so that notifications know nothing of accounts.

use plinth_kernel::{MemberId, Problem, Role, TenantId};
use plinth_store::Tx;

/// A person to tell something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The member; `None` for a bare address.
    pub member: Option<MemberId>,
    /// Their e-mail address.
    pub email: String,
    /// Their name, may be empty.
    pub name: String,
    /// Their role.
    pub role: Option<Role>,
}

/// Who there is to tell.
pub trait Directory: Send + Sync {
    /// The members of a tenant, read in the caller's unit of work.
    fn members(&self, tx: &mut Tx<'_>, tenant: &TenantId) -> Result<Vec<Recipient>, Problem>;

    /// Where mail to "all members" goes while there is no member yet, so that nothing said before the first sign-in
    /// is lost.
    fn fallback_address(&self) -> Option<String> {
        None
    }
}
