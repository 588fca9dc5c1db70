//! What every installation begins with: a tenant for the site, a contact form, and the workflow that tells of it.

use plinth_identity::{Identity, Tenant};
use plinth_kernel::{Problem, TraceContext};
use plinth_store::Store;

/// Name of the organisation until its owner gives it another.
const FIRST_ORGANISATION: &str = "My organisation";

/// Makes what is missing, in one unit of work, and answers the tenant whose site is shown. Repeating it changes
/// nothing; two processes that start at once do it once.
pub async fn first_tenant(store: &Store, identity: &Identity) -> Result<Tenant, Problem> {
    let identity = identity.clone();
    store
        .write_serializable(move |tx| {
            let live = match identity.first_tenant(tx)? {
                Some(tenant) => tenant,
                None => {
                    let trace = TraceContext::root(tx.world());
                    identity.create_organisation(tx, FIRST_ORGANISATION, trace)?.live
                }
            };
            for tenant in [&live.id, &live.twin_id] {
                plinth_forms::seed_contact_form(tx, tenant)?;
                plinth_notify::seed_workflows(tx, tenant)?;
            }
            Ok(live)
        })
        .await
}
