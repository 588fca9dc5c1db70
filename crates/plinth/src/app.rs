//! The composition root: the only place that knows every system.

use crate::{
    cli::RoleArg,
    config::{Config, SmtpTlsConfig},
    console::Console,
    contract, figures,
    late::{LateIdentity, Members},
    live, otlp,
    overview::Figures,
    seed,
};
use axum::Router;
use plinth_api::System;
use plinth_assistant::Assistant;
use plinth_flow::{FlowBuilder, FlowHandle};
use plinth_forms::Forms;
use plinth_gateway::{
    Check, Gateway, GatewayConfig, GatewayParts, Metrics, Platform, PlatformConfig, Sites, catalog,
    changes::API_KEY_SCOPES,
    gcra::Rate,
    outbound::{Guard, Outbound, OutboundPolicy, SystemResolver},
    quotas::Rates,
    requests::{LogWriter, request_log},
    version::{CURRENT, V2026_06_01, Versions},
};
use plinth_identity::{Identity, ScopeCatalogue, model::net::Cidr, vault::MasterKey};
use plinth_kernel::{Problem, World, ports::Publisher};
use plinth_notify::{
    Notify,
    channels::{MailSettings, Mailer, SmtpSettings, SmtpTls},
};
use plinth_realtime::{Hub, HubConfig, OriginPolicy};
use plinth_site::{Site, SiteContent};
use plinth_store::Store;
use std::{
    sync::{Arc, RwLock},
    time::Duration,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How often the figures of the flow tables are read for metrics.
const FIGURES_EVERY: Duration = Duration::from_secs(10);
/// How long the worker's shutdown may take.
const WORKER_SHUTDOWN: Duration = Duration::from_secs(10);

/// Everything, put together and running but for the sockets.
pub struct App {
    /// The store.
    pub store: Store,
    /// Who is who.
    pub identity: Identity,
    /// The edge.
    pub gateway: Gateway,
    hub: Hub,
    assistant: Assistant,
    flow: Option<FlowHandle>,
    /// The process is on its way out: `/readyz` says so for as long as anybody can ask.
    draining: CancellationToken,
    stop: CancellationToken,
    tasks: TaskTracker,
    _watch: Option<plinth_site::Watch>,
}

/// The systems and what they share, before anything runs.
struct Systems {
    hub: Hub,
    forms: Forms,
    notify: Notify,
    assistant: Assistant,
    figures: Figures,
    late: LateIdentity,
    content: Arc<SiteContent>,
}

impl Systems {
    fn new(config: &Config, store: &Store) -> Result<Self, String> {
        let late = LateIdentity::default();
        // Which pages may connect depends on who connects from them: identity decides by the cookie, or by the token and
        // its tenant's allowed origins. A connection that shows neither sees nothing.
        let origins = OriginPolicy::Custom(Arc::new(|_, _| true));
        let config_of_hub = HubConfig { origins, ..HubConfig::default() };
        let hub = Hub::new(store.world().clone(), Arc::new(late.clone()), config_of_hub);
        let publisher: Arc<dyn Publisher> = Arc::new(hub.clone());
        let members = Arc::new(Members::new(late.clone(), config.mail.operator.clone()));
        let forms = Forms::new(store.clone());
        let notify = Notify::new(store.clone(), mailer(config)?, members, publisher);
        let folder = config.site.content.clone().or_else(SiteContent::discover);
        let content =
            SiteContent::open(folder, env!("CARGO_PKG_VERSION")).map_err(|faults| faults.to_string())?;
        let assistant = Assistant::new(store.clone(), content.clone(), config.assistant.clone())
            .map_err(|error| format!("`assistant`: {error}"))?;
        let figures = Figures::new(store.clone(), forms.clone(), notify.clone(), hub.clone());
        Ok(Self { hub, forms, notify, assistant, figures, late, content })
    }

    /// Every system but the platform's, which needs identity.
    fn all(&self) -> [&dyn System; 4] {
        [&self.forms, &self.notify, &self.assistant, &self.figures]
    }

    fn contract(&self) -> utoipa::openapi::OpenApi {
        let parts = self.all().map(|system| system.routes().into_openapi());
        contract::assemble(parts.into_iter().chain([Platform::document()]))
    }
}

fn mailer(config: &Config) -> Result<Mailer, String> {
    let read = |path: &std::path::Path| {
        std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let smtp = match &config.mail.smtp {
        None => None,
        Some(smtp) => Some(SmtpSettings {
            host: smtp.host.clone(),
            port: smtp.port,
            tls: match smtp.tls {
                SmtpTlsConfig::Starttls => SmtpTls::StartTls,
                SmtpTlsConfig::Implicit => SmtpTls::Implicit,
                SmtpTlsConfig::None => SmtpTls::None,
            },
            credentials: match (&smtp.username, &smtp.password_file) {
                (Some(user), Some(file)) => Some((user.clone(), read(file)?.trim_end().to_owned())),
                (None, None) => None,
                _ => return Err("`mail.smtp.username` and `mail.smtp.password_file` go together".into()),
            },
            extra_root_pem: smtp.extra_root.as_deref().map(read).transpose()?,
            timeout: Duration::from_millis(smtp.timeout_ms),
        }),
    };
    Mailer::new(MailSettings { from: config.mail.from.clone(), smtp, outbox: config.data.dir.join("outbox") })
}

/// Opens the store and brings its tables up to date.
pub async fn open_store(config: &Config) -> Result<Store, String> {
    std::fs::create_dir_all(&config.data.dir)
        .map_err(|error| format!("the data folder {} cannot be made: {error}", config.data.dir.display()))?;
    let store = Store::open(config.store()?, World::system()).await.map_err(|error| error.to_string())?;
    migrate(config, &store).await?;
    Ok(store)
}

/// Brings the tables of every system up to date, in the order in which they build on one another.
async fn migrate(config: &Config, store: &Store) -> Result<(), String> {
    let told = |error: plinth_store::Error| error.to_string();
    store.migrate(plinth_flow::SYSTEM, plinth_flow::MIGRATIONS).await.map_err(told)?;
    store.migrate(plinth_identity::SYSTEM, plinth_identity::MIGRATIONS).await.map_err(told)?;
    store.migrate("api", plinth_api::migrations::MIGRATIONS).await.map_err(told)?;
    store.migrate("gateway", plinth_gateway::requests::MIGRATIONS).await.map_err(told)?;
    store.migrate(otlp::SYSTEM, otlp::MIGRATIONS).await.map_err(told)?;
    for system in Systems::new(config, store)?.all() {
        store.migrate(system.name(), system.migrations()).await.map_err(told)?;
    }
    Ok(())
}

/// The master key: from the environment, or from the data folder, where it is made on the first start.
fn master_key(config: &Config, world: &World) -> Result<MasterKey, String> {
    match std::env::var("PLINTH_MASTER_KEY") {
        Ok(text) => MasterKey::from_base64(&text).map_err(|error| format!("PLINTH_MASTER_KEY: {error}")),
        Err(_) => {
            let path = config.data.dir.join("master.key");
            MasterKey::load_or_create(&path, world).map_err(|error| format!("{}: {error}", path.display()))
        }
    }
}

fn cidrs(name: &str, texts: &[String]) -> Result<Vec<Cidr>, String> {
    texts.iter().map(|text| Cidr::parse(text).map_err(|error| format!("`{name}`: {text}: {error}"))).collect()
}

fn rates(config: &Config) -> Rates {
    let usual = Rates::default();
    let set = |value: Option<u32>, usual: Rate| value.map_or(usual, |quota| Rate::per_seconds(quota, 60));
    Rates {
        tenant: set(config.limits.tenant_per_minute, usual.tenant),
        tenant_writes: set(config.limits.tenant_writes_per_minute, usual.tenant_writes),
        caller: set(config.limits.caller_per_minute, usual.caller),
        address: set(config.limits.address_per_minute, usual.address),
        pages: set(config.limits.pages_per_minute, usual.pages),
        failures: usual.failures,
    }
}

fn versions() -> Versions {
    Versions::new(&[V2026_06_01, CURRENT], &[API_KEY_SCOPES])
}

fn outbound(config: &Config) -> Result<Outbound, String> {
    let policy = OutboundPolicy {
        allowed: cidrs("outbound.allow", &config.outbound.allow)?,
        ..OutboundPolicy::default()
    };
    Ok(Outbound::new(Guard::new(policy, Arc::new(SystemResolver))))
}

fn gateway_config(config: &Config) -> Result<GatewayConfig, String> {
    let usual = GatewayConfig::default();
    Ok(GatewayConfig {
        trusted_proxies: cidrs("server.trusted_proxies", &config.server.trusted_proxies)?,
        rates: rates(config),
        metrics_readers: match &config.server.metrics_readers {
            Some(texts) => cidrs("server.metrics_readers", texts)?,
            None => usual.metrics_readers.clone(),
        },
        ..usual
    })
}

/// Opens identity for the contract of this executable.
async fn open_identity(
    config: &Config,
    store: &Store,
    document: &utoipa::openapi::OpenApi,
) -> Result<Identity, String> {
    let scopes = catalog::scopes(document).map_err(|error| error.to_string())?;
    let config = plinth_identity::Config {
        scopes: ScopeCatalogue::new(scopes).map_err(|error| error.to_string())?,
        master_key: master_key(config, store.world())?,
        issuer: config.public_url(),
        newest_version: CURRENT,
        trusted_origins: Vec::new(),
        jwks: Arc::new(outbound(config)?),
        allow_plain_jwks: false,
    };
    Identity::open(store.clone(), config).await.map_err(told)
}

/// What is wrong, for the operator: the cause as well.
fn told(problem: Problem) -> String {
    problem.cause.clone().unwrap_or(problem.detail)
}

/// For commands at the terminal: the store and identity, nothing running.
pub async fn open_for_command(config: &Config) -> Result<(Store, Identity), String> {
    let store = open_store(config).await?;
    let systems = Systems::new(config, &store)?;
    let identity = open_identity(config, &store, &systems.contract()).await?;
    systems.late.fill(identity.clone());
    Ok((store, identity))
}

/// The contract, without a database that anybody keeps.
pub async fn document() -> Result<utoipa::openapi::OpenApi, String> {
    let folder = std::env::temp_dir().join(format!("plinth-openapi-{}", std::process::id()));
    let mut config = Config::default();
    config.data.dir = folder.clone();
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let store = Store::open(config.store()?, World::system()).await.map_err(|error| error.to_string())?;
    let document = Systems::new(&config, &store).map(|systems| systems.contract());
    store.close().await;
    let _ = std::fs::remove_dir_all(&folder);
    document
}

impl App {
    /// Puts everything together and starts what runs by itself.
    pub async fn start(config: &Config, role: RoleArg) -> Result<Self, String> {
        let store = open_store(config).await?;
        let systems = Systems::new(config, &store)?;
        let document = systems.contract();
        let identity = open_identity(config, &store, &document).await?;
        systems.late.fill(identity.clone());
        let tenant = seed::first_tenant(&store, &identity).await.map_err(told)?;

        let (draining, stop, tasks) =
            (CancellationToken::new(), CancellationToken::new(), TaskTracker::new());
        let metrics = Metrics::new();
        let (log, writer) = request_log(metrics.clone(), config.server.request_log_days);
        let sites = Sites::default();
        sites.set_default(tenant.id.clone(), tenant.mode);
        let platform = Platform::new(PlatformConfig {
            store: store.clone(),
            identity: identity.clone(),
            sites: sites.clone(),
            public_url: config.public_url(),
            rates: rates(config),
            versions: versions(),
            guard: outbound(config)?.guard().clone(),
        });
        let exporter = match role {
            RoleArg::Api => None,
            RoleArg::All | RoleArg::Worker => {
                otlp::Exporter::new(&config.telemetry, &store, &document, &metrics)?
            }
        };
        let mut api = platform.routes().split_for_parts().0;
        for system in systems.all() {
            api = api.merge(system.routes().split_for_parts().0);
        }
        let gateway = Gateway::new(GatewayParts {
            config: gateway_config(config)?,
            world: store.world().clone(),
            identity: identity.clone(),
            document,
            api,
            web: web(&systems)?,
            sites,
            metrics: metrics.clone(),
            log,
            versions: versions(),
            checks: checks(&store, &draining),
            cross_site_prefixes: vec!["/connection/", "/emulation"],
        })
        .map_err(|error| error.to_string())?;

        let flow = match role {
            RoleArg::Api => None,
            RoleArg::All | RoleArg::Worker => Some(start_flow(&systems, &store, &tenant.id).await?),
        };
        register_figures(&metrics, &store, &systems.hub, flow.as_ref(), &stop, &tasks);
        spawn_background(&identity, &store, writer, &stop, &tasks);
        if role != RoleArg::Worker {
            tasks.spawn(live::run(systems.hub.clone(), store.clone(), stop.clone()));
        }
        if let Some(exporter) = exporter {
            tasks.spawn(exporter.run(stop.clone()));
        }
        let watch = if config.site.hot_reload {
            systems.content.watch().map_err(|error| error.to_string())?
        } else {
            None
        };
        Ok(Self {
            store,
            identity,
            gateway,
            hub: systems.hub,
            assistant: systems.assistant,
            flow,
            draining,
            stop,
            tasks,
            _watch: watch,
        })
    }

    /// Tells realtime clients to go elsewhere and lets answers in the making finish. Called while the sockets still serve.
    pub async fn drain(&self, window: Duration) {
        self.draining.cancel();
        tokio::join!(self.hub.drain(window), self.assistant.drain());
    }

    /// Stops what runs by itself, hands leases back and closes the store. Called when the sockets are closed.
    pub async fn finish(self) {
        if let Some(flow) = self.flow
            && let Err(error) = flow.shutdown(WORKER_SHUTDOWN).await
        {
            tracing::warn!(%error, "the worker did not stop in order; its leases will run out");
        }
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.store.close().await;
    }
}

/// Everything that is not an operation of the API.
fn web(systems: &Systems) -> Result<Router, String> {
    let site = Site::new(
        systems.content.clone(),
        Arc::new(systems.forms.gate()),
        Arc::new(systems.assistant.clone()),
    );
    Ok(Router::new()
        .merge(plinth_realtime::routes(systems.hub.clone()))
        .merge(Console::embedded()?.routes())
        .fallback_service(site.routes()))
}

fn checks(store: &Store, draining: &CancellationToken) -> Vec<Check> {
    let (store, draining) = (store.clone(), draining.clone());
    vec![
        Check::new("store", move || {
            let store = store.clone();
            Box::pin(async move {
                let one: Result<Option<(i64,)>, plinth_store::Error> =
                    store.get("SELECT COUNT(*) FROM installation", plinth_store::owned![]).await;
                one.map(|_| ()).map_err(|error| error.to_string())
            })
        }),
        Check::new("drain", move || {
            let stopping = draining.is_cancelled();
            Box::pin(async move { if stopping { Err("shutting down".to_owned()) } else { Ok(()) } })
        }),
    ]
}

async fn start_flow(
    systems: &Systems,
    store: &Store,
    tenant: &plinth_kernel::TenantId,
) -> Result<FlowHandle, String> {
    let mut builder = FlowBuilder::new().schedules([Assistant::sweep_schedule(tenant.clone())]);
    for system in systems.all() {
        builder = builder
            .consumers(system.consumers())
            .handlers(system.job_handlers())
            .schedules(system.schedules());
    }
    builder.start(store.clone()).await.map_err(|error| error.to_string())
}

fn register_figures(
    metrics: &Metrics,
    store: &Store,
    hub: &Hub,
    flow: Option<&FlowHandle>,
    stop: &CancellationToken,
    tasks: &TaskTracker,
) {
    figures::store(metrics, store);
    figures::realtime(metrics, hub);
    let snapshot: figures::FlowSnapshot = Arc::new(RwLock::new(None));
    figures::flow(metrics, &snapshot);
    if let Some(flow) = flow {
        figures::node(metrics, flow.reporter());
    }
    let (store, stop) = (store.clone(), stop.clone());
    tasks.spawn(async move {
        let mut ticks = tokio::time::interval(FIGURES_EVERY);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            match store.read(plinth_flow::stats::read_stats).await {
                Ok(stats) => {
                    if let Ok(mut held) = snapshot.write() {
                        *held = Some(stats);
                    }
                }
                Err(error) => tracing::debug!(%error, "the figures of events and jobs could not be read"),
            }
        }
    });
}

fn spawn_background(
    identity: &Identity,
    store: &Store,
    writer: LogWriter,
    stop: &CancellationToken,
    tasks: &TaskTracker,
) {
    let (background, identity_stop) = (identity.clone(), stop.clone());
    tasks.spawn(async move { background.run(identity_stop).await });
    tasks.spawn(writer.run(store.clone(), stop.clone()));
    let (store, stop) = (store.clone(), stop.clone());
    tasks.spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_secs(600));
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let before = store.world().now().plus_seconds(-plinth_api::limits::IDEMPOTENCY_TTL_HOURS * 3_600);
            if let Err(problem) = plinth_api::sweep::idempotency(&store, before).await {
                tracing::warn!(%problem, "stored answers could not be swept");
            }
        }
    });
}
