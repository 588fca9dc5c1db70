//! Configuration: defaults, then a TOML file, then the environment, then flags; the later wins.
//!
//! In the environment a setting is `PLINTH_` and its path with two underscores between the parts:
//! `PLINTH_SERVER__LISTEN=0.0.0.0:8080`. An unknown or invalid setting is an error that names it and where it came
//! from; nothing is ignored.

use serde::Deserialize;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};
use toml::{Table, Value};

/// Everything that can be set.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The HTTP server.
    pub server: ServerConfig,
    /// Where data is kept.
    pub data: DataConfig,
    /// The database.
    pub database: DatabaseConfig,
    /// E-mail.
    pub mail: MailConfig,
    /// The site.
    pub site: SiteConfig,
    /// The assistant.
    pub assistant: plinth_assistant::Settings,
    /// Rate limits, in requests a minute.
    pub limits: LimitsConfig,
    /// Logs.
    pub log: LogConfig,
    /// Where tenants' own destinations may lead.
    pub outbound: OutboundConfig,
    /// Export of traces.
    pub telemetry: TelemetryConfig,
}

/// The HTTP server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// The address that people use, `https://example.org`; derived from `listen` when absent.
    pub public_url: Option<String>,
    /// PEM file with the certificate chain; TLS when given, together with `tls_key`.
    pub tls_cert: Option<PathBuf>,
    /// PEM file with the private key.
    pub tls_key: Option<PathBuf>,
    /// Proxies in front, as CIDR ranges; their `X-Forwarded-*` is believed.
    pub trusted_proxies: Vec<String>,
    /// Who may read `/metrics`, as CIDR ranges; private networks when absent.
    pub metrics_readers: Option<Vec<String>>,
    /// How long connections may finish at shutdown, in milliseconds.
    pub drain_ms: u64,
    /// Connections altogether.
    pub connections_max: Option<usize>,
    /// Connections of one address.
    pub connections_per_ip_max: Option<usize>,
    /// How long requests stay in the request log, in days.
    pub request_log_days: i64,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            tls_cert: None,
            tls_key: None,
            trusted_proxies: Vec::new(),
            metrics_readers: None,
            drain_ms: 20_000,
            connections_max: None,
            connections_per_ip_max: None,
            request_log_days: 30,
        }
    }
}

/// Where data is kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// The folder.
    pub dir: PathBuf,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self { dir: PathBuf::from("plinth-data") }
    }
}

/// The database.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseConfig {
    /// `sqlite:PATH` or `postgres://…`; a SQLite file in the data folder when absent.
    pub url: Option<String>,
    /// Connections to PostgreSQL.
    pub postgres_connections: Option<usize>,
    /// Snapshot readers of SQLite.
    pub sqlite_readers: Option<usize>,
}

/// An address may hold a password, which is shown nowhere.
impl std::fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let is_secret = |url: &&str| !url.starts_with("sqlite:");
        let url = self.url.as_deref().map(|url| Some(url).filter(is_secret).map_or(url, |_| "postgres://…"));
        f.debug_struct("DatabaseConfig")
            .field("url", &url)
            .field("postgres_connections", &self.postgres_connections)
            .field("sqlite_readers", &self.sqlite_readers)
            .finish()
    }
}

/// E-mail.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailConfig {
    /// The sender.
    pub from: String,
    /// Where mail to "all members" goes while there is no member.
    pub operator: String,
    /// The SMTP server; without one, mail is written to files that the console shows.
    pub smtp: Option<SmtpConfig>,
}

impl Default for MailConfig {
    fn default() -> Self {
        Self { from: "Plinth <plinth@localhost>".into(), operator: "owner@localhost".into(), smtp: None }
    }
}

/// An SMTP server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    /// Host name.
    pub host: String,
    /// Port; 587 for STARTTLS, 465 for implicit TLS.
    #[serde(default = "submission_port")]
    pub port: u16,
    /// `starttls`, `implicit` or `none`.
    #[serde(default)]
    pub tls: SmtpTlsConfig,
    /// User name.
    #[serde(default)]
    pub username: Option<String>,
    /// File with the password: a secret never stands in the configuration itself.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// PEM file of a further certificate authority.
    #[serde(default)]
    pub extra_root: Option<PathBuf>,
    /// How long one command may take, in milliseconds.
    #[serde(default = "smtp_timeout")]
    pub timeout_ms: u64,
}

fn submission_port() -> u16 {
    587
}

fn smtp_timeout() -> u64 {
    30_000
}

/// Protection of the connection to an SMTP server.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpTlsConfig {
    /// STARTTLS, required.
    #[default]
    Starttls,
    /// From the first byte.
    Implicit,
    /// None: for a server on the same machine.
    None,
}

/// The site.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SiteConfig {
    /// Folder with the content; the one beside the executable, else the embedded sample, when absent.
    pub content: Option<PathBuf>,
    /// Whether changes to the folder show at once.
    pub hot_reload: bool,
}

impl Default for SiteConfig {
    fn default() -> Self {
        Self { content: None, hot_reload: true }
    }
}

/// Rate limits, in requests a minute; the edge's defaults where absent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Of a tenant.
    pub tenant_per_minute: Option<u32>,
    /// Of a tenant, changes only.
    pub tenant_writes_per_minute: Option<u32>,
    /// Of one key, member or end user.
    pub caller_per_minute: Option<u32>,
    /// Of one address without a secret.
    pub address_per_minute: Option<u32>,
    /// Of one address, pages and files.
    pub pages_per_minute: Option<u32>,
}

/// Logs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// `pretty` or `json`.
    pub format: LogFormat,
    /// Which messages, as in `info,plinth_store=debug`.
    pub filter: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Pretty, filter: "info".into() }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// Where tenants' own destinations may lead.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutboundConfig {
    /// Private ranges that are allowed all the same, as CIDR.
    pub allow: Vec<String>,
}

/// Export of traces to an OpenTelemetry collector.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryConfig {
    /// Base address of the collector's OTLP/HTTP receiver, `http://127.0.0.1:4318`; nothing is exported without one.
    pub otlp_endpoint: Option<String>,
    /// Headers for the collector, for example `authorization`.
    pub otlp_headers: SecretTexts,
    /// Name under which the collector knows this installation.
    pub service_name: String,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self { otlp_endpoint: None, otlp_headers: SecretTexts::default(), service_name: "plinth".into() }
    }
}

/// Texts by name, of which only the names are shown.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct SecretTexts(pub BTreeMap<String, String>);

impl std::fmt::Debug for SecretTexts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.0.keys().map(|name| (name, "…"))).finish()
    }
}

/// Values that flags set.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--data`.
    pub data: Option<PathBuf>,
    /// `--listen`.
    pub listen: Option<SocketAddr>,
    /// `--database`.
    pub database: Option<String>,
}

const PREFIX: &str = "PLINTH_";

/// Reads the configuration. `file` must exist when it is given; without one, `plinth.toml` here is read if it is there.
pub fn load(
    file: Option<&Path>,
    environment: impl Iterator<Item = (String, String)>,
    flags: &Flags,
) -> Result<Config, String> {
    let mut table = match file {
        Some(path) => read_file(path)?,
        None if Path::new("plinth.toml").is_file() => read_file(Path::new("plinth.toml"))?,
        None => Table::new(),
    };
    let origin = file.map_or_else(|| "plinth.toml".to_owned(), |path| path.display().to_string());
    let from_file = parse(Value::Table(table.clone())).map_err(|error| format!("{origin}: {error}"));
    from_file?;
    for (name, text) in environment {
        let Some(path) = name.strip_prefix(PREFIX).filter(|path| path.contains("__")) else { continue };
        let keys: Vec<String> = path.split("__").map(str::to_ascii_lowercase).collect();
        set(&mut table, &keys, literal(&text)).map_err(|error| format!("{name}: {error}"))?;
        parse(Value::Table(table.clone())).map_err(|error| format!("{name}: {error}"))?;
    }
    let text = |value: String| Value::String(value);
    let given = [
        (["data", "dir"], flags.data.as_ref().map(|dir| dir.display().to_string())),
        (["server", "listen"], flags.listen.map(|address| address.to_string())),
        (["database", "url"], flags.database.clone()),
    ];
    for (path, value) in given {
        if let Some(value) = value {
            set(&mut table, &path.map(str::to_owned), text(value))?;
        }
    }
    let config = parse(Value::Table(table))?;
    check(&config)?;
    Ok(config)
}

fn read_file(path: &Path) -> Result<Table, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    text.parse::<Table>().map_err(|error| format!("{}: {error}", path.display()))
}

/// A value of the environment: a TOML literal where it is one, text otherwise.
fn literal(text: &str) -> Value {
    let wrapped = format!("v = {text}");
    wrapped
        .parse::<Table>()
        .ok()
        .and_then(|mut table| table.remove("v"))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

fn set(table: &mut Table, keys: &[String], value: Value) -> Result<(), String> {
    let Some((first, rest)) = keys.split_first() else { return Ok(()) };
    if rest.is_empty() {
        table.insert(first.clone(), value);
        return Ok(());
    }
    match table.entry(first.clone()).or_insert_with(|| Value::Table(Table::new())) {
        Value::Table(inner) => set(inner, rest, value),
        _ => Err(format!("`{first}` is a value, not a section")),
    }
}

fn parse(value: Value) -> Result<Config, String> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let message = error.inner().message().to_owned();
        let place = if path == "." { String::new() } else { format!("`{path}`: ") };
        format!("{place}{message}{}", suggestion(&message))
    })
}

/// The known name that is nearest to an unknown one.
fn suggestion(message: &str) -> String {
    if !message.starts_with("unknown field") {
        return String::new();
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    let Some(unknown) = quoted.next() else { return String::new() };
    let nearest = quoted.map(|known| (distance(unknown, known), known)).min();
    match nearest {
        Some((steps, known)) if steps <= 3 => format!(". Did you mean `{known}`?"),
        _ => String::new(),
    }
}

/// Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let next = (corner + usize::from(x != *y)).min(row[j] + 1).min(row[j + 1] + 1);
            corner = row[j + 1];
            row[j + 1] = next;
        }
    }
    row[b.len()]
}

fn check(config: &Config) -> Result<(), String> {
    if config.server.tls_cert.is_some() != config.server.tls_key.is_some() {
        return Err("`server.tls_cert` and `server.tls_key` go together: give both or neither".into());
    }
    if let Some(url) = &config.server.public_url
        && !(url.starts_with("http://") || url.starts_with("https://"))
    {
        return Err("`server.public_url` begins with http:// or https://".into());
    }
    crate::otlp::Target::of(&config.telemetry)?;
    Ok(())
}

impl Config {
    /// What is wrong with the way in, if anything: others can reach it, and what they say can be overheard.
    pub fn exposure(&self) -> Option<String> {
        let listen = self.server.listen;
        let protected = self.server.tls_cert.is_some() || !self.server.trusted_proxies.is_empty();
        (!listen.ip().is_loopback() && !protected).then(|| {
            format!(
                "{listen} is open to others without TLS: set `server.tls_cert` and `server.tls_key`, or `server.trusted_proxies`"
            )
        })
    }

    /// The address that people use, without a slash at the end.
    #[must_use]
    pub fn public_url(&self) -> String {
        match &self.server.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => {
                let scheme = if self.server.tls_cert.is_some() { "https" } else { "http" };
                format!("{scheme}://{}", self.server.listen)
            }
        }
    }

    /// How the store is to be opened.
    pub fn store(&self) -> Result<plinth_store::Config, String> {
        let mut config = match &self.database.url {
            Some(url) => {
                plinth_store::Config::parse(url).map_err(|error| format!("`database.url`: {error}"))?
            }
            None => plinth_store::Config::sqlite(self.data.dir.join("plinth.db")),
        };
        if let Some(connections) = self.database.postgres_connections {
            config.postgres_connections = connections;
        }
        if let Some(readers) = self.database.sqlite_readers {
            config.sqlite_readers = readers;
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("p.toml");
        std::fs::write(&file, text).unwrap();
        let environment: Vec<_> =
            environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        load(Some(&file), environment.into_iter(), &Flags::default())
    }

    #[test]
    fn the_later_source_wins() {
        let file = "[server]\nlisten = \"127.0.0.1:1\"\ndrain_ms = 5";
        let config =
            from(file, &[("PLINTH_SERVER__LISTEN", "127.0.0.1:2"), ("PLINTH_CLIENT_TESTS", "1")]).unwrap();
        assert_eq!((config.server.listen.port(), config.server.drain_ms), (2, 5));
        let flags = Flags { listen: Some("127.0.0.1:3".parse().unwrap()), ..Flags::default() };
        let environment = [("PLINTH_SERVER__LISTEN".to_owned(), "127.0.0.1:2".to_owned())];
        assert_eq!(load(None, environment.into_iter(), &flags).unwrap().server.listen.port(), 3);
    }

    #[test]
    fn an_unknown_setting_is_named_with_the_nearest_known_one() {
        let error = from("[server]\nlisten_on = 1", &[]).unwrap_err();
        assert!(error.contains("server") && error.contains("listen_on"), "{error}");
        let error = from("[mail]\nform = \"x\"", &[]).unwrap_err();
        assert!(error.ends_with("Did you mean `from`?"), "{error}");
        let error = from("", &[("PLINTH_SERVER__LISTN", "x")]).unwrap_err();
        assert!(
            error.contains("PLINTH_SERVER__LISTN") && error.ends_with("Did you mean `listen`?"),
            "{error}"
        );
    }

    #[test]
    fn headers_of_the_collector_are_not_shown() {
        let file = "[telemetry]\notlp_endpoint = \"http://127.0.0.1:4318\"";
        let config =
            from(file, &[("PLINTH_TELEMETRY__OTLP_HEADERS__AUTHORIZATION", "Bearer secret")]).unwrap();
        assert_eq!(config.telemetry.otlp_headers.0["authorization"], "Bearer secret");
        let shown = format!("{config:#?}");
        assert!(shown.contains("authorization") && !shown.contains("secret"), "{shown}");
    }

    #[test]
    fn the_password_of_the_database_is_not_shown() {
        let config = from("[database]\nurl = \"postgres://plinth:canary@db/plinth\"", &[]).unwrap();
        assert!(!format!("{config:#?}").contains("canary"));
        let config = from("[database]\nurl = \"sqlite:/data/plinth.db\"", &[]).unwrap();
        assert!(format!("{config:#?}").contains("sqlite:/data/plinth.db"));
    }

    #[test]
    fn an_invalid_value_is_named_with_its_place() {
        let error = from("[server]\nlisten = \"nowhere\"", &[]).unwrap_err();
        assert!(error.contains("`server.listen`"), "{error}");
        let error = from("[server]\ntls_cert = \"c.pem\"", &[]).unwrap_err();
        assert!(error.contains("tls_key"), "{error}");
        assert!(from("[server\n", &[]).unwrap_err().contains("p.toml"));
        for (telemetry, name) in [
            ("otlp_endpoint = \"collector:4318\"", "otlp_endpoint"),
            ("otlp_endpoint = \"http://me:secret@collector\"", "otlp_headers"),
            ("otlp_endpoint = \"http://collector\"\notlp_headers = { \"a b\" = \"c\" }", "\"a b\""),
        ] {
            let error = from(&format!("[telemetry]\n{telemetry}"), &[]).unwrap_err();
            assert!(error.contains(name) && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn distances() {
        assert_eq!((distance("listn", "listen"), distance("", "abc"), distance("abc", "abc")), (1, 3, 0));
    }
}
