//! `plinth serve`.

use crate::{app::App, cli::RoleArg, config::Config};
use plinth_gateway::{ServeConfig, serve};
use std::{io::IsTerminal, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Serves until SIGTERM or SIGINT, then drains.
pub async fn run(config: &Config, role: RoleArg) -> Result<(), String> {
    let app = App::start(config, role).await?;
    if role == RoleArg::Worker {
        tracing::info!("working on events, jobs and schedules");
        let ended = until_stopped(&app).await;
        app.finish().await;
        return ended;
    }
    let listener = TcpListener::bind(config.server.listen)
        .await
        .map_err(|error| format!("{} cannot be listened on: {error}", config.server.listen))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    announce(config, &app, address).await?;
    if let Some(fault) = config.exposure() {
        tracing::warn!("{fault}");
    }
    let stop = CancellationToken::new();
    let mut serving = tokio::spawn(serve(listener, app.gateway.clone(), serve_config(config)?, stop.clone()));
    let mut served = None;
    let ended = tokio::select! {
        ended = until_stopped(&app) => ended,
        // It does not end by itself; were it to, a process that answers nobody must not look alive.
        early = &mut serving => {
            served = Some(early);
            Err("the server has stopped taking connections".to_owned())
        }
    };
    tracing::info!("draining");
    let window = Duration::from_millis(config.server.drain_ms);
    // New connections end here; open ones finish, and realtime clients are told to come back elsewhere.
    stop.cancel();
    app.drain(window / 4).await;
    let served = match served {
        Some(early) => early,
        None => serving.await,
    };
    served.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    app.finish().await;
    ended
}

/// Waits for a signal, or for the disk to fail: after that nothing can be promised, and a restart is the cure.
async fn until_stopped(app: &App) -> Result<(), String> {
    tokio::select! {
        stopped = stop_signal() => stopped,
        why = app.store.failed() => Err(format!("the store has stopped: {why}")),
    }
}

async fn stop_signal() -> Result<(), String> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Where everything is; once, on standard output.
async fn announce(config: &Config, app: &App, address: std::net::SocketAddr) -> Result<(), String> {
    let base = match &config.server.public_url {
        Some(_) => config.public_url(),
        None => config.public_url().replace(&config.server.listen.to_string(), &address.to_string()),
    };
    let setup = app.identity.issue_setup_token().await.map_err(|problem| problem.to_string())?;
    let mut lines = vec![
        format!("Site     {base}/"),
        format!("Console  {base}/console/"),
        format!("API      {base}/docs"),
    ];
    if let Some(token) = setup {
        // In the fragment, which browsers keep to themselves: the token is in no log.
        lines.push(format!("Set up   {base}/console/#setup={}", token.reveal()));
        lines.push("         This link makes the first owner. It works once, for 30 minutes.".to_owned());
    }
    if std::io::stdout().is_terminal() {
        println!("\n  Plinth {}\n", env!("CARGO_PKG_VERSION"));
        lines.iter().for_each(|line| println!("  {line}"));
        println!();
    } else {
        lines.iter().for_each(|line| println!("{line}"));
    }
    Ok(())
}

fn serve_config(config: &Config) -> Result<ServeConfig, String> {
    let usual = ServeConfig::default();
    Ok(ServeConfig {
        connections_max: config.server.connections_max.unwrap_or(usual.connections_max),
        connections_per_ip_max: config.server.connections_per_ip_max.unwrap_or(usual.connections_per_ip_max),
        drain_ms: config.server.drain_ms,
        tls: tls(config)?,
        ..usual
    })
}

fn tls(config: &Config) -> Result<Option<Arc<rustls::ServerConfig>>, String> {
    let (Some(cert), Some(key)) = (&config.server.tls_cert, &config.server.tls_key) else { return Ok(None) };
    let open =
        |path: &std::path::Path| std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    let chain: Result<Vec<_>, _> = rustls_pemfile::certs(&mut &open(cert)?[..]).collect();
    let chain = chain.map_err(|error| format!("{}: {error}", cert.display()))?;
    let key_pem = open(key)?;
    let private = rustls_pemfile::private_key(&mut &key_pem[..])
        .map_err(|error| format!("{}: {error}", key.display()))?
        .ok_or_else(|| format!("{}: no private key in it", key.display()))?;
    let mut server =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_no_client_auth()
            .with_single_cert(chain, private)
            .map_err(|error| format!("{}: {error}", cert.display()))?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Some(Arc::new(server)))
}
