//! The planner: turns an event into notifications, in the transaction that acknowledges the event.

use crate::{
    directory::{Directory, Recipient},
    email_job, limits,
    model::{
        render::{self, Content},
        workflow::{Audience, Members, Step},
    },
    store::{self, InboxRow, NotificationRow, WorkflowRow},
};
use plinth_flow::{Consumer, jobs::JOB_DIED};
use plinth_kernel::{Event, InboxItemId, NotificationId, Problem, Role, TenantId, ports::Publisher};
use plinth_store::Tx;
use serde_json::json;
use std::sync::Arc;

/// The consumer that plans.
pub(crate) struct Planner {
    directory: Arc<dyn Directory>,
    publisher: Arc<dyn Publisher>,
}

impl Planner {
    pub fn new(directory: Arc<dyn Directory>, publisher: Arc<dyn Publisher>) -> Self {
        Self { directory, publisher }
    }
}

impl Consumer for Planner {
    fn name(&self) -> &'static str {
        "notify.planner"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["forms.*", "assistant.*", "identity.*", "flow.*"]
    }

    fn handle(&self, tx: &mut Tx<'_>, event: &Event) -> Result<(), Problem> {
        let ours = is_of_our_own_making(event);
        for workflow in store::workflows_for(tx, &event.tenant, &event.kind)? {
            let definition = workflow.parsed()?;
            if definition.trigger.matches(&event.data) {
                for step in definition.steps.iter().filter(|step| !(ours && step.channel() == "email")) {
                    self.plan_step(tx, event, &workflow, step)?;
                }
            }
        }
        Ok(())
    }
}

/// A mail about a mail that could not be sent would be about itself before long; the inbox takes it.
fn is_of_our_own_making(event: &Event) -> bool {
    event.kind == JOB_DIED && event.data["kind"].as_str().is_some_and(|kind| kind.starts_with("notify."))
}

impl Planner {
    fn plan_step(
        &self,
        tx: &mut Tx<'_>,
        event: &Event,
        workflow: &WorkflowRow,
        step: &Step,
    ) -> Result<(), Problem> {
        let rendered = render::content(step, event);
        for recipient in self.recipients(tx, &event.tenant, step)? {
            let planned = Planned { event, workflow, step, recipient: &recipient };
            match &rendered {
                Ok(content) => self.deliver(tx, &planned, content)?,
                // A template that fails on this event fails for everybody: it is on record, and a new template is needed.
                Err(error) => drop(planned.insert(tx, &json!({}).to_string(), "failed", Some(error))?),
            }
        }
        Ok(())
    }

    fn recipients(&self, tx: &mut Tx<'_>, tenant: &TenantId, step: &Step) -> Result<Vec<Recipient>, Problem> {
        let bare = |email: String| Recipient { member: None, email, name: String::new(), role: None };
        let which = match step.audience() {
            Audience::Address(address) => return Ok(vec![bare(address.clone())]),
            Audience::Members(which) => *which,
        };
        let mut people = self.directory.members(tx, tenant)?;
        if people.is_empty() && step.channel() == "email" {
            return Ok(self.directory.fallback_address().map(bare).into_iter().collect());
        }
        if which == Members::Admins {
            people.retain(|person| matches!(person.role, Some(Role::Owner | Role::Admin)));
        }
        people.truncate(limits::RECIPIENTS_MAX);
        Ok(people)
    }

    fn deliver(&self, tx: &mut Tx<'_>, planned: &Planned<'_>, content: &Content) -> Result<(), Problem> {
        let text = serde_json::to_string(content).map_err(Problem::internal)?;
        match content {
            Content::Email { .. } => {
                if let Some(id) = planned.insert(tx, &text, "pending", None)? {
                    let job = email_job::enqueue(tx, planned.event, &id, &planned.recipient.email)?;
                    store::set_job(tx, &planned.event.tenant, &id, &job)?;
                }
                Ok(())
            }
            Content::InApp { title, body, url } => {
                let Some(member) = &planned.recipient.member else { return Ok(()) };
                let Some(id) = planned.insert(tx, &text, "sent", None)? else { return Ok(()) };
                let item = InboxRow {
                    id: tx.id::<InboxItemId>(),
                    notification_id: id,
                    title: title.clone(),
                    body: body.clone(),
                    url: url.clone(),
                    trace_id: planned.event.trace.trace_id.to_string(),
                    created_at: tx.now(),
                    read_at: None,
                };
                let tenant = &planned.event.tenant;
                store::insert_inbox(tx, tenant, member, &item)?;
                let unread = store::unread(tx, tenant, member)?;
                // The client's list is repaired from the API on reconnect; this only makes it live.
                let push = json!({"type": "inbox.item", "unread": unread, "item": {
                    "id": item.id, "title": item.title, "body": item.body, "url": item.url,
                    "trace_id": item.trace_id, "created_at": item.created_at}});
                let (channel, publisher) = (format!("{tenant}/inbox:#{member}"), self.publisher.clone());
                tx.after_commit(move || publisher.publish(&channel, &push));
                Ok(())
            }
        }
    }
}

/// One notification about to be written.
struct Planned<'a> {
    event: &'a Event,
    workflow: &'a WorkflowRow,
    step: &'a Step,
    recipient: &'a Recipient,
}

impl Planned<'_> {
    /// Writes it; `None` when this event, step and recipient already has one.
    fn insert(
        &self,
        tx: &mut Tx<'_>,
        content: &str,
        state: &str,
        error: Option<&str>,
    ) -> Result<Option<NotificationId>, Problem> {
        let now = tx.now();
        let in_app = self.step.channel() == "in_app";
        let row = NotificationRow {
            id: tx.id::<NotificationId>(),
            workflow_id: self.workflow.id.clone(),
            workflow_rev: self.workflow.rev,
            step_id: self.step.id().to_owned(),
            event_id: self.event.id.clone(),
            channel: self.step.channel().to_owned(),
            recipient: match &self.recipient.member {
                Some(member) => format!("member:{member}"),
                None => format!("address:{}", self.recipient.email),
            },
            address: if in_app { String::new() } else { self.recipient.email.clone() },
            state: state.to_owned(),
            content: content.to_owned(),
            job_id: None,
            provider: in_app.then(|| "inbox".to_owned()),
            last_error: error.map(str::to_owned),
            trace_id: self.event.trace.trace_id.to_string(),
            created_at: now,
            updated_at: now,
            sent_at: (state == "sent").then_some(now),
        };
        Ok(store::insert_notification(tx, &self.event.tenant, &row)?.then_some(row.id))
    }
}
