//! What the console sees as it happens: every event of a tenant, on its channel.

use plinth_flow::{Consumer, StartAt};
use plinth_identity::TENANT_CHANNEL;
use plinth_kernel::{Event, Problem, ports::Publisher};
use plinth_store::Tx;
use serde_json::json;
use std::sync::Arc;

/// Publishes events to the console.
pub struct LiveFeed {
    publisher: Arc<dyn Publisher>,
}

impl LiveFeed {
    /// Through this publisher.
    pub fn new(publisher: Arc<dyn Publisher>) -> Self {
        Self { publisher }
    }
}

impl Consumer for LiveFeed {
    fn name(&self) -> &'static str {
        "console.live"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["*"]
    }

    /// What happened before anybody could look is history, which the API tells.
    fn start(&self) -> StartAt {
        StartAt::Next
    }

    fn handle(&self, tx: &mut Tx<'_>, event: &Event) -> Result<(), Problem> {
        let data = json!({"type": "event", "event": {
            "id": event.id, "kind": event.kind, "version": event.version, "subject": event.subject,
            "partition": event.partition, "sequence": event.sequence, "actor": event.actor.to_string(),
            "trace_id": event.trace.trace_id, "created_at": event.created_at, "data": event.data,
        }});
        let (channel, publisher) = (format!("{}/{TENANT_CHANNEL}", event.tenant), self.publisher.clone());
        tx.after_commit(move || publisher.publish(&channel, &data));
        Ok(())
    }
}
