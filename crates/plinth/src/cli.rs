//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::{net::SocketAddr, path::PathBuf};

/// Forms, notifications, a site and an assistant behind one API.
#[derive(Debug, Parser)]
#[command(name = "plinth", version, propagate_version = true)]
pub struct Cli {
    /// What all commands take.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What all commands take.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Configuration file; `plinth.toml` in the working directory when it exists.
    #[arg(long, global = true, env = "PLINTH_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder with everything that is kept.
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Database, `sqlite:PATH` or `postgres://…`.
    #[arg(long, global = true, value_name = "URL")]
    pub database: Option<String>,
    /// Answer in JSON.
    #[arg(long, global = true)]
    pub json: bool,
}

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoleArg {
    /// Both.
    All,
    /// Answers requests.
    Api,
    /// Works on events, jobs and schedules.
    Worker,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve.
    Serve {
        /// Address and port.
        #[arg(long, value_name = "ADDR")]
        listen: Option<SocketAddr>,
        /// Which part of the work this process does.
        #[arg(long, value_enum, default_value = "all")]
        role: RoleArg,
    },
    /// Bring the database up to date.
    Migrate,
    /// Write a verified copy of the database into a new folder, while the server runs.
    Backup {
        /// The folder; must not exist or be empty.
        to: PathBuf,
    },
    /// Restore a backup into an empty place.
    Restore {
        /// The folder of the backup.
        from: PathBuf,
    },
    /// Tenants.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// API keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// The site.
    #[command(subcommand)]
    Site(SiteCommand),
    /// The assistant.
    #[command(subcommand)]
    Assistant(AssistantCommand),
    /// Check that everything is in order.
    Doctor,
    /// Print the OpenAPI document.
    Openapi,
    /// Print the configuration as it takes effect.
    Config,
}

/// Tenants.
#[derive(Debug, Subcommand)]
pub enum TenantCommand {
    /// Make an organisation with a live and a test tenant; prints the two ids.
    Create {
        /// Its name.
        name: String,
    },
    /// List tenants.
    List,
}

/// API keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key; prints the key alone. It is not shown again.
    Create {
        /// Name.
        #[arg(long, default_value = "Command line")]
        name: String,
        /// The tenant; the first live one when absent.
        #[arg(long)]
        tenant: Option<String>,
        /// In the test tenant.
        #[arg(long)]
        test: bool,
        /// A publishable key, for pages.
        #[arg(long)]
        publishable: bool,
        /// Scopes, for example `forms:*`; everything when absent.
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
        /// Origins that may use a publishable key.
        #[arg(long = "origin", value_name = "ORIGIN")]
        origins: Vec<String>,
    },
    /// List keys.
    List {
        /// The tenant; the first live one when absent.
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Revoke a key at once.
    Revoke {
        /// Its id, `key_…`.
        id: String,
        /// The tenant; the first live one when absent.
        #[arg(long)]
        tenant: Option<String>,
    },
}

/// The site.
#[derive(Debug, Subcommand)]
pub enum SiteCommand {
    /// Render every page and follow every link.
    Check {
        /// The folder; as configured when absent.
        content: Option<PathBuf>,
    },
}

/// The assistant.
#[derive(Debug, Subcommand)]
pub enum AssistantCommand {
    /// Ask a set of questions and report how well they were answered.
    Eval {
        /// A TOML or JSON Lines file of questions.
        questions: PathBuf,
    },
}
