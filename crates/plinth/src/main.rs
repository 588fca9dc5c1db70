//! The executable.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod app;
mod cli;
mod commands;
mod config;
mod console;
mod contract;
mod figures;
mod late;
mod live;
mod otlp;
mod overview;
mod seed;
mod telemetry;

use clap::Parser;
use cli::{AssistantCommand, Cli, Command, SiteCommand};
use config::{Config, Flags};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match start(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("plinth: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start(cli: Cli) -> Result<(), String> {
    let listen = match &cli.command {
        Command::Serve { listen, .. } => *listen,
        _ => None,
    };
    let flags = Flags { data: cli.common.data.clone(), listen, database: cli.common.database.clone() };
    let config = config::load(cli.common.config.as_deref(), std::env::vars(), &flags)?;
    let serving = matches!(cli.command, Command::Serve { .. });
    telemetry::start(&config.log, serving)?;
    // Every TLS client and server of the process uses this one; a second installation would be refused, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(run(cli, config))
}

async fn run(cli: Cli, config: Config) -> Result<(), String> {
    use commands::{doctor, key, serve, tenant, tools};
    let json = cli.common.json;
    match cli.command {
        Command::Serve { role, .. } => serve::run(&config, role).await,
        Command::Migrate => tools::migrate(&config).await,
        Command::Backup { to } => tools::backup(&config, &to, json).await,
        Command::Restore { from } => tools::restore(&config, &from, json).await,
        Command::Tenant(command) => tenant::run(&config, command, json).await,
        Command::Key(command) => key::run(&config, command, json).await,
        Command::Site(SiteCommand::Check { content }) => tools::check_site(&config, content),
        Command::Assistant(AssistantCommand::Eval { questions }) => {
            tools::evaluate(&config, &questions, json)
        }
        Command::Doctor => doctor::run(&config, json).await,
        Command::Openapi => tools::openapi().await,
        Command::Config => {
            println!("{config:#?}");
            Ok(())
        }
    }
}
