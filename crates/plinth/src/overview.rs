//! Live figures: the console's first screen, and the strip of the site.

use crate::figures::quantile;
use arc_swap::ArcSwapOption;
use axum::extract::State;
use parking_lot::Mutex;
use plinth_api::{ApiResult, Ctx, Problems, System};
use plinth_flow::stats::FlowStats;
use plinth_forms::Forms;
use plinth_gateway::requests::figures::{self as request_log, Minute};
use plinth_kernel::{Micros, Problem, TenantId};
use plinth_notify::Notify;
use plinth_realtime::Hub;
use plinth_store::{Engine, Migration, Store};
use serde::Serialize;
use std::{collections::HashMap, sync::Arc};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Minutes of the request series.
const MINUTES: i64 = 60;
/// How long a tenant's figures are good for, in milliseconds.
const FRESH_MS: i64 = 2_000;
/// Tenants whose figures are kept.
const KEPT_MAX: usize = 1_000;

/// A value at a time.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Point {
    /// When.
    at: Micros,
    /// How much.
    value: f64,
}

/// Live figures of a tenant.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Overview {
    /// Always `overview`.
    #[schema(example = "overview")]
    object: &'static str,
    /// When they were taken.
    at: Micros,
    /// Version of the executable.
    version: &'static str,
    /// How long this process has been running.
    uptime_seconds: i64,
    /// `sqlite` or `postgres`.
    #[schema(example = "sqlite")]
    engine: &'static str,
    /// Requests of the last hour.
    requests: RequestFigures,
    /// Submissions of the last day.
    submissions: SubmissionFigures,
    /// Jobs of the installation.
    jobs: JobFigures,
    /// The event log of the installation.
    events: EventFigures,
    /// The store of this process.
    store: StoreFigures,
    /// Realtime connections of this process.
    realtime: RealtimeFigures,
    /// Notifications of the last day.
    deliveries: DeliveryFigures,
}

/// Requests.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct RequestFigures {
    /// Over the last whole minutes.
    per_second: f64,
    /// Failed on our side, 0 to 1.
    error_ratio: f64,
    /// Median duration.
    p50_ms: f64,
    /// 99th percentile of the duration.
    p99_ms: f64,
    /// Requests a second, minute by minute.
    series: Vec<Point>,
    /// Errors a second, minute by minute.
    error_series: Vec<Point>,
    /// 99th percentile, minute by minute.
    p99_series: Vec<Point>,
}

/// Submissions.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SubmissionFigures {
    /// In the last 24 hours.
    today: i64,
    /// In the 24 hours before.
    yesterday: i64,
    /// Hour by hour.
    series: Vec<Point>,
}

/// Jobs.
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
pub struct JobFigures {
    /// Waiting, now or for a later time.
    due: i64,
    /// Running.
    running: i64,
    /// Dead letters.
    dead: i64,
    /// How long the oldest has been due.
    oldest_due_ms: i64,
}

/// Events.
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
pub struct EventFigures {
    /// Events that the slowest consumer has not seen.
    lag: i64,
    /// Age of the oldest of them.
    lag_ms: i64,
    /// Events that were put aside.
    parked: i64,
    /// Events a second, by this process, since it began.
    per_second: f64,
}

/// The store.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct StoreFigures {
    /// Median duration of a commit.
    commit_p50_ms: f64,
    /// 99th percentile of the duration of a commit.
    commit_p99_ms: f64,
    /// Units of work in a commit, on average.
    units_per_commit: f64,
    /// Units that wait.
    queue: i64,
}

/// Realtime.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct RealtimeFigures {
    /// Open connections.
    connections: i64,
    /// Channels.
    channels: i64,
}

/// Notifications.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct DeliveryFigures {
    /// Delivered in the last 24 hours.
    today: i64,
    /// Given up in the last 24 hours.
    failed_today: i64,
}

/// A figure of the site's strip.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SiteFigure {
    /// What it is.
    #[schema(example = "Commit latency, p99")]
    label: &'static str,
    /// How much, ready to be shown.
    #[schema(example = "1.8 ms")]
    value: String,
}

/// The figures of the site's strip.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SiteFigures {
    /// Always `site_figures`.
    #[schema(example = "site_figures")]
    object: &'static str,
    /// In the order of the strip.
    figures: Vec<SiteFigure>,
}

/// The system that tells them.
#[derive(Clone)]
pub struct Figures(Arc<Inner>);

struct Inner {
    store: Store,
    forms: Forms,
    notify: Notify,
    hub: Hub,
    started_at: Micros,
    kept: Mutex<HashMap<TenantId, Arc<Overview>>>,
    flow: ArcSwapOption<(Micros, FlowStats)>,
}

impl Figures {
    /// Figures of these parts.
    pub fn new(store: Store, forms: Forms, notify: Notify, hub: Hub) -> Self {
        let started_at = store.world().now();
        let (kept, flow) = (Mutex::default(), ArcSwapOption::default());
        Self(Arc::new(Inner { store, forms, notify, hub, started_at, kept, flow }))
    }

    /// The figures of the flow tables, taken again when they are old.
    pub async fn flow(&self) -> Result<Arc<(Micros, FlowStats)>, Problem> {
        let now = self.0.store.world().now();
        if let Some(known) = self.0.flow.load_full().filter(|known| now.since(known.0) < FRESH_MS * 1_000) {
            return Ok(known);
        }
        let stats = self.0.store.read(plinth_flow::stats::read_stats).await.map_err(Problem::from)?;
        let taken = Arc::new((now, stats));
        self.0.flow.store(Some(taken.clone()));
        Ok(taken)
    }

    async fn overview(&self, tenant: &TenantId) -> Result<Arc<Overview>, Problem> {
        let now = self.0.store.world().now();
        if let Some(known) =
            self.0.kept.lock().get(tenant).filter(|known| now.since(known.at) < FRESH_MS * 1_000)
        {
            return Ok(known.clone());
        }
        let taken = Arc::new(self.take(tenant, now).await?);
        let mut kept = self.0.kept.lock();
        if kept.len() >= KEPT_MAX {
            kept.retain(|_, known| now.since(known.at) < FRESH_MS * 1_000);
        }
        kept.insert(tenant.clone(), taken.clone());
        Ok(taken)
    }

    async fn take(&self, tenant: &TenantId, now: Micros) -> Result<Overview, Problem> {
        let inner = &*self.0;
        let requests = request_log::figures(&inner.store, tenant, MINUTES).await?;
        let submissions = inner.forms.figures(tenant).await?;
        let deliveries = inner.notify.figures(tenant).await?;
        let flow = self.flow().await?;
        let store = inner.store.stats();
        let hub = inner.hub.stats();
        let uptime_seconds = (now.since(inner.started_at) / 1_000_000).max(1);
        Ok(Overview {
            object: "overview",
            at: now,
            version: env!("CARGO_PKG_VERSION"),
            uptime_seconds,
            engine: match store.engine {
                Engine::Sqlite => "sqlite",
                Engine::Postgres => "postgres",
            },
            requests: request_figures(&requests),
            submissions: SubmissionFigures {
                today: submissions.today,
                yesterday: submissions.yesterday,
                series: submissions
                    .hours
                    .iter()
                    .map(|(at, count)| Point { at: *at, value: *count as f64 })
                    .collect(),
            },
            jobs: job_figures(&flow.1),
            events: event_figures(&flow.1, store.events as f64 / uptime_seconds as f64),
            store: StoreFigures {
                commit_p50_ms: quantile(&store.commit_seconds, 0.50) * 1_000.0,
                commit_p99_ms: quantile(&store.commit_seconds, 0.99) * 1_000.0,
                units_per_commit: store.batch_units.mean(),
                queue: store.queues.writes as i64,
            },
            realtime: RealtimeFigures {
                connections: hub.connections.iter().sum::<u64>() as i64,
                channels: hub.channels as i64,
            },
            deliveries: DeliveryFigures {
                today: deliveries.sent_today,
                failed_today: deliveries.failed_today,
            },
        })
    }
}

fn request_figures(requests: &request_log::Figures) -> RequestFigures {
    let series = |value: fn(&Minute) -> f64| {
        requests.minutes.iter().map(|m| Point { at: m.at, value: value(m) }).collect()
    };
    let total: i64 = requests.minutes.iter().map(|minute| minute.requests).sum();
    let errors: i64 = requests.minutes.iter().map(|minute| minute.errors).sum();
    // The running minute is not whole yet: the rate is that of the five before it.
    let recent: i64 = requests.minutes.iter().rev().skip(1).take(5).map(|minute| minute.requests).sum();
    RequestFigures {
        per_second: recent as f64 / 300.0,
        error_ratio: if total == 0 { 0.0 } else { errors as f64 / total as f64 },
        p50_ms: requests.p50_ms,
        p99_ms: requests.p99_ms,
        series: series(|minute| minute.requests as f64 / 60.0),
        error_series: series(|minute| minute.errors as f64 / 60.0),
        p99_series: series(|minute| minute.p99_ms),
    }
}

fn job_figures(flow: &FlowStats) -> JobFigures {
    let count = |states: &[&str]| {
        flow.queues.iter().filter(|q| states.contains(&q.state.as_str())).map(|q| q.jobs).sum()
    };
    JobFigures {
        due: count(&["ready", "scheduled", "retrying", "blocked"]),
        running: count(&["running"]),
        dead: count(&["dead"]),
        oldest_due_ms: flow.queues.iter().map(|queue| queue.oldest_due_ms).max().unwrap_or(0),
    }
}

fn event_figures(flow: &FlowStats, per_second: f64) -> EventFigures {
    EventFigures {
        lag: flow.consumers.iter().map(|consumer| consumer.events).max().unwrap_or(0),
        lag_ms: flow.consumers.iter().map(|consumer| consumer.oldest_ms).max().unwrap_or(0),
        parked: flow.consumers.iter().map(|consumer| consumer.parked).sum(),
        per_second,
    }
}

impl System for Figures {
    fn name(&self) -> &'static str {
        "figures"
    }

    fn migrations(&self) -> &'static [Migration] {
        &[]
    }

    fn routes(&self) -> OpenApiRouter {
        OpenApiRouter::new()
            .routes(routes!(get_overview))
            .routes(routes!(get_site_figures))
            .with_state(self.clone())
    }
}

/// Tells the live figures of your tenant
///
/// Taken at most every two seconds.
#[utoipa::path(
    get, path = "/v1/overview", operation_id = "get_overview", tag = "Overview",
    responses((status = 200, description = "The figures.", body = Overview), Problems),
    security(("secret_key" = ["platform:overview:read"]), ("session" = ["platform:overview:read"])),
    extensions(("x-plinth" = json!({"class": "read"})))
)]
async fn get_overview(State(figures): State<Figures>, ctx: Ctx) -> ApiResult<axum::Json<Overview>> {
    let overview = figures.overview(ctx.tenant()).await?;
    Ok(axum::Json((*overview).clone()))
}

/// Tells the figures that the site shows of itself
#[utoipa::path(
    get, path = "/v1/site/live", operation_id = "get_site_figures", tag = "Site",
    responses((status = 200, description = "The figures.", body = SiteFigures), Problems),
    security(("visitor" = ["site:figures:read"]), ("secret_key" = ["site:figures:read"]), ("session" = ["site:figures:read"])),
    extensions(("x-plinth" = json!({"class": "read"})))
)]
async fn get_site_figures(State(figures): State<Figures>, ctx: Ctx) -> ApiResult<axum::Json<SiteFigures>> {
    let overview = figures.overview(ctx.tenant()).await?;
    Ok(axum::Json(SiteFigures { object: "site_figures", figures: strip(&overview) }))
}

fn strip(overview: &Overview) -> Vec<SiteFigure> {
    vec![
        SiteFigure { label: "API latency, p99", value: milliseconds(overview.requests.p99_ms) },
        SiteFigure { label: "Commit latency, p99", value: milliseconds(overview.store.commit_p99_ms) },
        SiteFigure { label: "Forms submitted, 24 h", value: overview.submissions.today.to_string() },
        SiteFigure { label: "Messages delivered, 24 h", value: overview.deliveries.today.to_string() },
    ]
}

fn milliseconds(ms: f64) -> String {
    match ms {
        ms if ms <= 0.0 => "–".to_owned(),
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms => format!("{ms:.0} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_as_people_read_them() {
        assert_eq!(
            (milliseconds(0.0).as_str(), milliseconds(1.84).as_str(), milliseconds(120.4).as_str()),
            ("–", "1.8 ms", "120 ms")
        );
    }
}
