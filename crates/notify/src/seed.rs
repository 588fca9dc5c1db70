//! The workflows that every new tenant begins with.

use crate::store::{self, WorkflowDefinition, WorkflowRow};
use plinth_kernel::{Problem, TenantId, WorkflowId};
use plinth_store::Tx;

/// A workflow to begin with.
struct Seed {
    external_id: &'static str,
    name: &'static str,
    definition: &'static str,
}

const SEEDS: [Seed; 2] = [
    Seed {
        external_id: "contact",
        name: "Contact message to the team",
        definition: include_str!("contact_workflow.json"),
    },
    Seed {
        external_id: "handover",
        name: "Visitor asks for a person",
        definition: include_str!("handover_workflow.json"),
    },
];

/// Gives a tenant the workflows that tell its members of contact messages and of visitors who ask for a person, unless it
/// has them.
pub fn seed_workflows(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<(), Problem> {
    SEEDS.iter().try_for_each(|seed| plant(tx, tenant, seed).map(drop))
}

fn plant(tx: &mut Tx<'_>, tenant: &TenantId, seed: &Seed) -> Result<WorkflowId, Problem> {
    if let Some(existing) = store::workflow_by_external(tx, tenant, seed.external_id)? {
        return Ok(existing.id);
    }
    let definition: WorkflowDefinition = serde_json::from_str(seed.definition).map_err(Problem::internal)?;
    let now = tx.now();
    let row = WorkflowRow {
        id: tx.id::<WorkflowId>(),
        external_id: Some(seed.external_id.to_owned()),
        name: seed.name.to_owned(),
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
    fn the_seeded_workflows_are_valid() {
        for seed in SEEDS {
            let definition: WorkflowDefinition = serde_json::from_str(seed.definition).unwrap();
            assert_eq!(crate::model::workflow::faults(&definition.trigger, &definition.steps), Vec::new());
        }
    }
}
