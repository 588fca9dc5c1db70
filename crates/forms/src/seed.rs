//! The form that every new tenant begins with.

use crate::{
    model::definition::Definition,
    store::{self, FormRow, VersionRow},
};
use plinth_kernel::{FormId, FormVersionId, Problem, TenantId};
use plinth_store::Tx;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// `external_id` of the contact form.
pub const CONTACT: &str = "contact";

const DEFINITION: &str = include_str!("contact_form.json");

/// Gives a tenant its contact form, published, unless it has one. Returns the form's id.
pub fn seed_contact_form(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<FormId, Problem> {
    if let Some(existing) = store::form_by_external(tx, tenant, CONTACT, store::Hold::Read)? {
        return Ok(existing.id);
    }
    let definition: Definition = serde_json::from_str(DEFINITION).map_err(Problem::internal)?;
    let text = serde_json::to_string(&definition).map_err(Problem::internal)?;
    let now = tx.now();
    let form = FormRow {
        id: tx.id::<FormId>(),
        external_id: Some(CONTACT.to_owned()),
        name: "Contact".to_owned(),
        state: "active".to_owned(),
        rev: 1,
        live_version: Some(1),
        draft_rev: 1,
        metadata: BTreeMap::new(),
        created_at: now,
        updated_at: now,
    };
    let version = VersionRow {
        number: 1,
        id: tx.id::<FormVersionId>(),
        hash: definition_hash(&text),
        definition: text.clone(),
        note: "The form every site begins with.".to_owned(),
        published_by: "system:seed".to_owned(),
        published_at: now,
    };
    store::insert_form(tx, tenant, &form, &text)?;
    store::insert_version(tx, tenant, &form.id, &version)?;
    Ok(form.id)
}

/// Identity of a definition: SHA-256 of its text as we write it.
pub(crate) fn definition_hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeded_form_is_publishable() {
        let definition: Definition = serde_json::from_str(DEFINITION).unwrap();
        assert_eq!(definition.faults(""), Vec::new());
    }
}
