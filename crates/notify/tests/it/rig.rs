//! Notifications with everything they need around them.

use parking_lot::Mutex;
use plinth_api::{System, testing::Caller};
use plinth_flow::{FlowBuilder, FlowHandle};
use plinth_kernel::{
    Actor, Event, MemberId, NewEvent, PrincipalKind, Problem, Role, TenantId, TraceContext, ports::Publisher,
};
use plinth_notify::{
    Directory, Notify, Recipient,
    channels::{MailSettings, Mailer, SmtpSettings},
};
use plinth_store::Tx;
use plinth_testkit::TestStore;
use serde_json::{Value, json};
use std::sync::Arc;

struct People(Vec<Recipient>);

impl Directory for People {
    fn members(&self, _: &mut Tx<'_>, _: &TenantId) -> Result<Vec<Recipient>, Problem> {
        Ok(self.0.clone())
    }
    fn fallback_address(&self) -> Option<String> {
        Some("owner@localhost".into())
    }
}

#[derive(Default)]
struct Pushed(Mutex<Vec<(String, Value)>>);

impl Publisher for Pushed {
    fn publish(&self, channel: &str, data: &Value) {
        self.0.lock().push((channel.to_owned(), data.clone()));
    }
}

pub fn member_id(n: u8) -> MemberId {
    format!("mbr_0000000000000000000000000{n}").parse().unwrap()
}

pub fn member(n: u8) -> Recipient {
    Recipient {
        member: Some(member_id(n)),
        email: format!("m{n}@example.org"),
        name: format!("M{n}"),
        role: Some(Role::Owner),
    }
}

pub struct Rig<'a> {
    store: &'a TestStore,
    notify: Notify,
    pushed: Arc<Pushed>,
    pub server: Caller,
    _outbox: tempfile::TempDir,
}

impl<'a> Rig<'a> {
    pub async fn new(store: &'a TestStore, people: Vec<Recipient>) -> Self {
        Self::with_smtp(store, people, None).await
    }

    pub async fn with_smtp(store: &'a TestStore, people: Vec<Recipient>, smtp: Option<SmtpSettings>) -> Self {
        let outbox = tempfile::tempdir().unwrap();
        let settings =
            MailSettings { from: "Plinth <no-reply@example.org>".into(), smtp, outbox: outbox.path().into() };
        let pushed = Arc::new(Pushed::default());
        let notify = Notify::new(
            (**store).clone(),
            Mailer::new(settings).unwrap(),
            Arc::new(People(people)),
            pushed.clone(),
        );
        store.migrate(plinth_flow::SYSTEM, plinth_flow::MIGRATIONS).await.unwrap();
        store.migrate("api", plinth_api::migrations::MIGRATIONS).await.unwrap();
        store.migrate(notify.name(), notify.migrations()).await.unwrap();
        let (router, _) = notify.routes().split_for_parts();
        let server = Caller::secret_key(router, store.world());
        let tenant = server.principal.tenant.clone();
        store.write(move |tx| plinth_notify::seed_workflows(tx, &tenant)).await.unwrap();
        Self { store, notify, pushed, server, _outbox: outbox }
    }

    pub async fn start(&self) -> FlowHandle {
        FlowBuilder::new()
            .consumers(self.notify.consumers())
            .handlers(self.notify.job_handlers())
            .start((**self.store).clone())
            .await
            .unwrap()
    }

    pub fn member_caller(&self, n: u8) -> Caller {
        let mut caller = self.server.clone();
        caller.principal.actor = Actor::Member(member_id(n));
        caller.principal.kind = PrincipalKind::Session;
        caller
    }

    pub fn pushed(&self) -> Vec<(String, Value)> {
        self.pushed.0.lock().clone()
    }

    pub async fn contact_message(&self, name: &str, message: &str) {
        self.emit("contact", json!({"name": name, "email": "ada@example.org", "message": message})).await;
    }

    pub async fn submission_of(&self, form_key: &str) {
        self.emit(form_key, json!({"name": "x", "message": "y"})).await;
    }

    async fn emit(&self, form_key: &str, values: Value) {
        let fields: Vec<Value> = values
            .as_object()
            .unwrap()
            .iter()
            .map(|(key, value)| json!({"key": key, "label": key, "display": value}))
            .collect();
        let data = json!({"form_key": form_key, "form_name": "Contact", "submission_id": "sub_1", "values": values, "fields": fields});
        let (tenant, world) = (self.server.principal.tenant.clone(), self.store.world().clone());
        self.store
            .write(move |tx| {
                tx.emit(NewEvent {
                    tenant: tenant.clone(),
                    kind: "forms.submission.completed",
                    version: 1,
                    subject: "sub_1".into(),
                    data: data.clone(),
                    actor: Actor::Anonymous,
                    trace: TraceContext::root(&world),
                    causation: None,
                });
                Ok::<_, plinth_store::Error>(())
            })
            .await
            .unwrap();
    }

    /// Hands every event to the planner, as a consumer would that lost its place.
    pub async fn handle_all_events(&self) {
        let planner = self.notify.consumers().remove(0);
        let tenant = self.server.principal.tenant.clone();
        self.store
            .write(move |tx| {
                const ALL: &str = concat!(
                    "SELECT ",
                    plinth_store::event_columns!(),
                    " FROM events WHERE tenant_id = $1 ORDER BY event_id"
                );
                let events: Vec<Event> = tx.all(ALL, plinth_store::args![&tenant])?;
                for event in events.iter().filter(|event| event.kind.starts_with("forms.")) {
                    planner.handle(tx, event)?;
                }
                Ok::<_, Problem>(())
            })
            .await
            .unwrap();
    }

    /// The details of the newest notification of a channel; null while there is none.
    pub async fn notification(&self, channel: &str) -> Value {
        let page = self.server.get(&format!("/v1/notifications?channel={channel}")).await.json();
        let Some(id) = page["data"][0]["id"].as_str() else { return Value::Null };
        self.server.get(&format!("/v1/notifications/{id}")).await.json()
    }
}
