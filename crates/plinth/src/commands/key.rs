//! `plinth key`.

use super::tenant::named;
use crate::{app, cli::KeyCommand, config::Config, seed};
use plinth_identity::{By, Identity, KeyKind, NewKey, PageRequest};
use plinth_kernel::{Id, KeyId, Problem, TraceContext};
use plinth_store::Store;

/// Runs a command on API keys.
pub async fn run(config: &Config, command: KeyCommand, json: bool) -> Result<(), String> {
    let (store, identity) = app::open_for_command(config).await?;
    let done = act(&store, &identity, command, json).await;
    store.close().await;
    done.map_err(|problem| problem.to_string())
}

async fn act(store: &Store, identity: &Identity, command: KeyCommand, json: bool) -> Result<(), Problem> {
    // A key can be made before the first start.
    seed::first_tenant(store, identity).await?;
    match command {
        KeyCommand::Create { name, tenant, test, publishable, scopes, origins } => {
            let kind = if publishable { KeyKind::Publishable } else { KeyKind::Secret };
            let everything = !publishable && scopes.is_empty();
            let scopes = if everything { vec!["*".to_owned()] } else { scopes };
            let new = NewKey {
                kind,
                name,
                scopes,
                allowed_ips: Vec::new(),
                allowed_origins: origins,
                expires_at: None,
            };
            create(store, identity, tenant, test, new, json).await
        }
        KeyCommand::List { tenant } => list(store, identity, tenant, json).await,
        KeyCommand::Revoke { id, tenant } => revoke(store, identity, &id, tenant).await,
    }
}

async fn create(
    store: &Store,
    identity: &Identity,
    tenant: Option<String>,
    test: bool,
    new: NewKey,
    json: bool,
) -> Result<(), Problem> {
    let identity = identity.clone();
    let issued = store
        .write(move |tx| {
            let tenant = named(&identity, tx, tenant.as_deref(), test)?;
            let by = By::system(tenant, "operator", TraceContext::root(tx.world()));
            identity.create_key(tx, &by, &new)
        })
        .await?;
    if json {
        println!("{}", serde_json::json!({"text": issued.text.reveal(), "api_key": issued.key}));
    } else {
        println!("{}", issued.text.reveal());
    }
    Ok(())
}

async fn list(store: &Store, identity: &Identity, tenant: Option<String>, json: bool) -> Result<(), Problem> {
    let identity = identity.clone();
    let keys = store
        .read(move |tx| {
            let tenant = named(&identity, tx, tenant.as_deref(), false)?;
            identity.list_keys(tx, &tenant, &PageRequest { limit: 100, ..PageRequest::default() })
        })
        .await?;
    for key in keys.data {
        if json {
            println!("{}", serde_json::json!(key));
        } else {
            println!("{} {} {}", key.id, key.hint, key.name);
        }
    }
    Ok(())
}

async fn revoke(store: &Store, identity: &Identity, id: &str, tenant: Option<String>) -> Result<(), Problem> {
    let id = KeyId::parse(id).map_err(|_| Problem::not_found("key"))?;
    let identity = identity.clone();
    store
        .write(move |tx| {
            let tenant = named(&identity, tx, tenant.as_deref(), false)?;
            let by = By::system(tenant, "operator", TraceContext::root(tx.world()));
            identity.revoke_key(tx, &by, &id)
        })
        .await?;
    Ok(())
}
