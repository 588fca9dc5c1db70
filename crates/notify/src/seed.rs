//! The workflow that every new tenant begins with.

use crate::store::{self, WorkflowDefinition, WorkflowRow};
use plinth_kernel::{Problem, TenantId, WorkflowId};
use plinth_store::Tx;

/// `external_id` of the contact workflow.
const CONTACT: &str = "contact";
const DEFINITION: &str = include_str!("contact_workflow.json");

/// Gives a tenant the workflow that tells its members of contact messages, unless it has one.
pub fn seed_contact_workflow(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<WorkflowId, Problem> {
    if let Some(existing) = store::workflow_by_external(tx, tenant, CONTACT)? {
        return Ok(existing.id);
    }
    let definition: WorkflowDefinition = serde_json::from_str(DEFINITION).map_err(Problem::internal)?;
    let now = tx.now();
    let row = WorkflowRow {
        id: tx.id::<WorkflowId>(),
        external_id: Some(CONTACT.to_owned()),
        name: "Contact message to the team".to_owned(),
        enabled: true,
        definition: serde_json::to_string(&definition).map_err(Problem::internal)?,
        rev: 1,
        created_at: now,
        updated_at: now,
    };
    store::insert_workflow(tx, tenant, &row, &definition.trigger.event)?;
    Ok(row.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeded_workflow_is_valid() {
        let definition: WorkflowDefinition = serde_json::from_str(DEFINITION).unwrap();
        assert_eq!(crate::model::workflow::faults(&definition.trigger, &definition.steps), Vec::new());
    }
}
