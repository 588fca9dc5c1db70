//! What the console sees as it happens: every event of a tenant, on its channel, for as long as one may look.

use plinth_flow::{Consumer, StartAt};
use plinth_identity::TENANT_CHANNEL;
use plinth_kernel::{Event, Problem};
use plinth_realtime::{Disconnect, Hub};
use plinth_store::Tx;
use serde_json::json;

/// After these a member may see less than before: their connections are closed, and open again only with what they
/// may see now.
const ENDS_CONNECTIONS: [&str; 3] =
    ["identity.member.removed", "identity.member.role_changed", "identity.session.ended"];

/// Publishes events to the console.
pub struct LiveFeed {
    hub: Hub,
}

impl LiveFeed {
    /// Through this hub.
    pub fn new(hub: Hub) -> Self {
        Self { hub }
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
        let (tenant, hub) = (event.tenant.clone(), self.hub.clone());
        let ends = ENDS_CONNECTIONS.contains(&event.kind.as_str());
        let member = event.data["member_id"].as_str().filter(|_| ends).map(str::to_owned);
        tx.after_commit(move || {
            if let Some(member) = member {
                hub.disconnect_everywhere(&member, Disconnect::FORCE_RECONNECT);
            }
            hub.publish(&tenant, TENANT_CHANNEL, &data);
        });
        Ok(())
    }
}
