//! `plinth tenant`.

use crate::{app, cli::TenantCommand, config::Config};
use plinth_identity::{Identity, PageRequest, Tenant};
use plinth_kernel::{Id, Problem, TenantId, TraceContext};
use plinth_store::{Store, Tx};

/// Runs a command on tenants.
pub async fn run(config: &Config, command: TenantCommand, json: bool) -> Result<(), String> {
    let (store, identity) = app::open_for_command(config).await?;
    let done = match command {
        TenantCommand::Create { name } => create(&store, &identity, name, json).await,
        TenantCommand::List => list(&store, &identity, json).await,
    };
    store.close().await;
    done.map_err(|problem| problem.to_string())
}

async fn create(store: &Store, identity: &Identity, name: String, json: bool) -> Result<(), Problem> {
    let identity = identity.clone();
    let made = store
        .write(move |tx| {
            let trace = TraceContext::root(tx.world());
            let made = identity.create_organisation(tx, &name, trace)?;
            for tenant in [&made.live.id, &made.test.id] {
                plinth_forms::seed_contact_form(tx, tenant)?;
                plinth_notify::seed_workflows(tx, tenant)?;
            }
            Ok::<_, Problem>(made)
        })
        .await?;
    if json {
        println!("{}", serde_json::json!({"organisation_id": made.id, "live": made.live, "test": made.test}));
    } else {
        println!("live {}\ntest {}", made.live.id, made.test.id);
    }
    Ok(())
}

async fn list(store: &Store, identity: &Identity, json: bool) -> Result<(), Problem> {
    let identity = identity.clone();
    let tenants: Vec<Tenant> = store
        .read(move |tx| {
            let Some(first) = identity.first_tenant(tx)? else { return Ok(Vec::new()) };
            let page = PageRequest { limit: 100, ..PageRequest::default() };
            Ok::<_, Problem>(identity.list_tenants(tx, &first.id, &page)?.data)
        })
        .await?;
    for tenant in tenants {
        if json {
            println!("{}", serde_json::json!(tenant));
        } else {
            println!("{} {} {}", tenant.id, tenant.mode, tenant.name);
        }
    }
    Ok(())
}

/// The tenant that a command is about: the one named, or the first live one, or its test twin.
pub fn named(
    identity: &Identity,
    tx: &mut Tx<'_>,
    name: Option<&str>,
    test: bool,
) -> Result<TenantId, Problem> {
    if let Some(name) = name {
        let id = TenantId::parse(name).map_err(|_| Problem::not_found("tenant"))?;
        return Ok(identity.get_tenant(tx, &id)?.id);
    }
    let first =
        identity.first_tenant(tx)?.ok_or_else(|| Problem::not_found("tenant: start `plinth serve` once"))?;
    Ok(if test { first.twin_id } else { first.id })
}
