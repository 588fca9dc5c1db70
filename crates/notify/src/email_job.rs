//! Sending an e-mail: the job.

use crate::{
    channels::{MailError, Mailer, Outbound},
    limits,
    model::render::Content,
    store::{self, MailRow, NotificationRow},
};
use plinth_flow::{
    Consumer, JobContext, JobHandler, JobState, NewJob, Outcome, Reason, enqueue as enqueue_job,
    jobs::JOB_DIED,
};
use plinth_kernel::{
    Actor, Event, Id, JobId, MailId, NewEvent, NotificationId, Problem, TenantId, TraceContext,
    ports::Publisher,
};
use plinth_store::Tx;
use serde_json::json;
use std::sync::Arc;

const QUEUE: &str = "email";
const KIND: &str = "notify.send_email";

/// Enqueues the sending of a notification, in the unit of work that writes it.
pub(crate) fn enqueue(
    tx: &mut Tx<'_>,
    event: &Event,
    id: &NotificationId,
    address: &str,
) -> Result<JobId, Problem> {
    let domain = address.rsplit('@').next().unwrap_or("").to_ascii_lowercase();
    let job = NewJob {
        dedupe_key: Some(id.to_string()),
        // Receivers limit and fail by domain, so that is what patience is counted by.
        destination: Some(domain),
        timeout_ms: limits::EMAIL_TIMEOUT_MS,
        max_attempts: limits::EMAIL_ATTEMPTS_MAX,
        max_unknown_retries: limits::EMAIL_UNKNOWN_RETRIES_MAX,
        causation: Some(event.id.clone()),
        ..NewJob::new(event.tenant.clone(), QUEUE, KIND, json!({"notification_id": id}), event.trace)
    };
    Ok(enqueue_job(tx, job)?)
}

/// The handler.
pub(crate) struct SendEmail {
    mailer: Mailer,
    publisher: Arc<dyn Publisher>,
}

impl SendEmail {
    pub fn new(mailer: Mailer, publisher: Arc<dyn Publisher>) -> Self {
        Self { mailer, publisher }
    }

    async fn load(&self, job: &JobContext) -> Result<Option<NotificationRow>, Problem> {
        let id = job.payload["notification_id"].as_str().and_then(|text| NotificationId::parse(text).ok());
        let id = id.ok_or_else(|| Problem::internal("the job names no notification"))?;
        let tenant = job.tenant.clone();
        Ok(job.store.read(move |tx| store::notification(tx, &tenant, &id)).await?)
    }
}

#[async_trait::async_trait]
impl JobHandler for SendEmail {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn queue(&self) -> &'static str {
        QUEUE
    }

    async fn run(&self, job: JobContext) -> Result<Outcome, Problem> {
        let Some(row) = self.load(&job).await? else {
            return Ok(Outcome::dead(Reason::new("notification_gone", "The notification was erased.")));
        };
        let Content::Email { subject, text, html } = row.content()? else {
            return Ok(Outcome::dead(Reason::new(
                "not_an_email",
                "The notification is for another channel.",
            )));
        };
        let mail = Outbound {
            id: row.id.to_string(),
            to: row.address.clone(),
            to_name: String::new(),
            subject,
            text,
            html,
            date: row.created_at,
        };
        let sent = self.mailer.send(&mail).await;
        let settled = Settled {
            tenant: job.tenant.clone(),
            row,
            provider: self.mailer.provider().to_owned(),
            trace: job.trace,
            publisher: self.publisher.clone(),
        };
        Ok(match sent {
            Ok(()) => {
                let outbox = self.mailer.is_outbox().then(|| (self.mailer.from(), mail));
                Outcome::done(json!({"provider": settled.provider}))
                    .with(move |tx| settled.sent(tx, outbox.as_ref()))
            }
            Err(MailError::Invalid(why)) => {
                settled.failing(Outcome::dead(Reason::new("invalid_message", &why)), why, true)
            }
            Err(MailError::Permanent(why)) => {
                settled.failing(Outcome::dead(Reason::new("refused", &why)), why, true)
            }
            Err(MailError::Temporary(why)) => settled.failing(
                Outcome::unavailable(Reason::new("not_accepted", &why)),
                why,
                job.last_attempt,
            ),
            Err(MailError::Unknown(why)) => {
                let last = job.last_attempt || job.unknown_attempts >= limits::EMAIL_UNKNOWN_RETRIES_MAX;
                settled.failing(Outcome::unknown(Reason::new("no_answer", &why)), why, last)
            }
        })
    }
}

/// Gives up the notification of a dead letter that no handler could speak for: the process died, or it expired.
pub(crate) struct GiveUp {
    publisher: Arc<dyn Publisher>,
}

impl GiveUp {
    pub fn new(publisher: Arc<dyn Publisher>) -> Self {
        Self { publisher }
    }
}

impl Consumer for GiveUp {
    fn name(&self) -> &'static str {
        "notify.give_up"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[JOB_DIED]
    }

    fn handle(&self, tx: &mut Tx<'_>, event: &Event) -> Result<(), Problem> {
        let ours = event.data["kind"] == KIND;
        let id = event.data["dedupe_key"].as_str().and_then(|text| NotificationId::parse(text).ok());
        let Some(id) = id.filter(|_| ours) else { return Ok(()) };
        let Some(row) = store::notification(tx, &event.tenant, &id)? else { return Ok(()) };
        // Replayed meanwhile, or told by its handler: the newer word stands.
        if !matches!(row.state.as_str(), "pending" | "retrying") || !is_dead(tx, event, &row)? {
            return Ok(());
        }
        let why = event.data["error"].as_str().unwrap_or("its job was given up").to_owned();
        let provider = row.provider.clone().unwrap_or_default();
        store::set_state(tx, &event.tenant, &id, "failed", None, Some(&why))?;
        let settled = Settled {
            tenant: event.tenant.clone(),
            row,
            provider,
            trace: event.trace,
            publisher: self.publisher.clone(),
        };
        settled.announce(tx, "notify.notification.failed", "failed", Some(&why));
        Ok(())
    }
}

/// Whether the notification's job is still the dead letter that the event tells of.
fn is_dead(tx: &mut Tx<'_>, event: &Event, row: &NotificationRow) -> Result<bool, Problem> {
    let Some(job) = &row.job_id else { return Ok(false) };
    Ok(plinth_flow::jobs::get_job(tx, &event.tenant, job).is_ok_and(|job| job.state == JobState::Dead))
}

/// What is recorded together with an attempt's outcome.
struct Settled {
    tenant: TenantId,
    row: NotificationRow,
    provider: String,
    trace: TraceContext,
    publisher: Arc<dyn Publisher>,
}

impl Settled {
    fn sent(&self, tx: &mut Tx<'_>, outbox: Option<&(String, Outbound)>) -> Result<(), Problem> {
        store::set_state(tx, &self.tenant, &self.row.id, "sent", Some(&self.provider), None)?;
        if let Some((from, mail)) = outbox {
            self.record_mail(tx, from, mail)?;
        }
        self.announce(tx, "notify.notification.sent", "sent", None);
        Ok(())
    }

    fn failing(self, outcome: Outcome, why: String, last: bool) -> Outcome {
        outcome.with(move |tx| {
            let state = if last { "failed" } else { "retrying" };
            store::set_state(tx, &self.tenant, &self.row.id, state, Some(&self.provider), Some(&why))?;
            if last {
                self.announce(tx, "notify.notification.failed", state, Some(&why));
            }
            Ok(())
        })
    }

    /// The file's row takes the notification's own number, so that a repeated attempt makes no second one.
    fn record_mail(&self, tx: &mut Tx<'_>, from: &str, mail: &Outbound) -> Result<(), Problem> {
        let suffix = self.row.id.as_str().trim_start_matches("ntf_");
        let id = MailId::parse(&format!("{}_{suffix}", MailId::PREFIX)).map_err(Problem::internal)?;
        let row = MailRow {
            id,
            notification_id: self.row.id.clone(),
            sender: from.to_owned(),
            recipient: mail.to.clone(),
            subject: mail.subject.clone(),
            text_body: mail.text.clone(),
            html_body: mail.html.clone(),
            file_name: format!("{}.eml", mail.id),
            trace_id: self.row.trace_id.clone(),
            created_at: tx.now(),
        };
        Ok(store::insert_mail(tx, &self.tenant, &row)?)
    }

    fn announce(&self, tx: &mut Tx<'_>, kind: &'static str, state: &str, error: Option<&str>) {
        let data = json!({
            "notification_id": self.row.id, "workflow_id": self.row.workflow_id, "channel": self.row.channel,
            "recipient": self.row.recipient, "provider": self.provider, "error": error,
        });
        tx.emit(NewEvent {
            tenant: self.tenant.clone(),
            kind,
            version: 1,
            subject: self.row.id.to_string(),
            data,
            actor: Actor::System("notify".to_owned()),
            trace: self.trace,
            causation: Some(self.row.event_id.clone()),
        });
        let push = json!({"type": "notification.updated", "id": self.row.id, "state": state});
        let (channel, publisher) = (format!("{}/tenant:ops", self.tenant), self.publisher.clone());
        tx.after_commit(move || publisher.publish(&channel, &push));
    }
}
