//! `plinth doctor`: what is in order, and what keeps this from being production.

use crate::{app, config::Config, console::Console};
use plinth_identity::audit;
use plinth_kernel::{World, ports::ContentSource};
use plinth_site::SiteContent;
use plinth_store::Engine;

struct Finding {
    name: &'static str,
    /// Ok with a remark, or what is wrong.
    outcome: Result<String, String>,
}

/// Runs every check; fails when one of them does.
pub async fn run(config: &Config, json: bool) -> Result<(), String> {
    let mut findings =
        vec![check_content(config), check_console(), check_mail(config), check_exposure(config)];
    findings.extend(check_store(config).await);
    let failed = findings.iter().filter(|finding| finding.outcome.is_err()).count();
    for finding in &findings {
        let (mark, text) = match &finding.outcome {
            Ok(text) => ("ok", text),
            Err(text) => ("failed", text),
        };
        if json {
            println!("{}", serde_json::json!({"check": finding.name, "status": mark, "detail": text}));
        } else {
            println!("{mark:6}  {:8}  {text}", finding.name);
        }
    }
    if failed == 0 { Ok(()) } else { Err(format!("{failed} checks failed")) }
}

fn check_content(config: &Config) -> Finding {
    let folder = config.site.content.clone().or_else(SiteContent::discover);
    let outcome = match SiteContent::open(folder, env!("CARGO_PKG_VERSION")) {
        Err(faults) => Err(faults.to_string()),
        Ok(content) => match content.check().first() {
            None => {
                Ok(format!("{} pages, {} passages", content.paths().len(), content.snapshot().passages.len()))
            }
            Some(fault) => Err(fault.to_string()),
        },
    };
    Finding { name: "site", outcome }
}

fn check_console() -> Finding {
    let outcome = Console::embedded()
        .map(|console| format!("snapshot {}", &console.sources[..12.min(console.sources.len())]));
    Finding { name: "console", outcome }
}

fn check_mail(config: &Config) -> Finding {
    let outcome = Ok(match &config.mail.smtp {
        Some(smtp) => format!("through {}:{}", smtp.host, smtp.port),
        None => "no SMTP server is configured: mail is written to files".to_owned(),
    });
    Finding { name: "mail", outcome }
}

fn check_exposure(config: &Config) -> Finding {
    let outcome = match config.exposure() {
        None => Ok(format!("listening on {}", config.server.listen)),
        Some(fault) => Err(fault),
    };
    Finding { name: "network", outcome }
}

async fn check_store(config: &Config) -> Vec<Finding> {
    let opened = app::open_for_command(config).await;
    let (store, identity) = match opened {
        Ok(opened) => opened,
        Err(error) => return vec![Finding { name: "store", outcome: Err(error) }],
    };
    let engine = match store.engine() {
        Engine::Sqlite => "SQLite",
        Engine::Postgres => "PostgreSQL",
    };
    let world = World::system();
    let before = world.now();
    let written = store
        .write(|tx| tx.exec("UPDATE installation SET id = id WHERE id = 1", plinth_store::args![]))
        .await;
    let took_ms = world.now().since(before) as f64 / 1_000.0;
    let write = match written {
        Ok(_) => Ok(format!("{engine}, one durable write in {took_ms:.1} ms")),
        Err(error) => Err(plinth_store::Error::to_string(&error)),
    };
    let chain = check_audit(&store, &identity).await;
    store.close().await;
    vec![Finding { name: "store", outcome: write }, Finding { name: "audit", outcome: chain }]
}

async fn check_audit(
    store: &plinth_store::Store,
    identity: &plinth_identity::Identity,
) -> Result<String, String> {
    let identity = identity.clone();
    let first =
        store.read(move |tx| identity.first_tenant(tx)).await.map_err(|problem| problem.to_string())?;
    let Some(tenant) = first else { return Ok("nothing recorded yet".to_owned()) };
    let report = audit::verify_chain(store, &tenant.id).await.map_err(|problem| problem.to_string())?;
    match report.broken_at {
        None => Ok(format!("{} entries, unbroken", report.intact)),
        Some(at) => Err(format!("the trail is broken at entry {at}")),
    }
}
