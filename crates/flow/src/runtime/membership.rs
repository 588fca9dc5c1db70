//! What this process knows about its own membership.

use parking_lot::Mutex;
use std::time::{Duration, Instant};

/// This node: its name, and until when it may believe that its lease holds.
pub(crate) struct Membership {
    node_id: String,
    alive_until: Mutex<Instant>,
}

impl Membership {
    pub fn new(node_id: String) -> Self {
        Self { node_id, alive_until: Mutex::new(Instant::now()) }
    }

    pub fn node_id(&self) -> &str {
        &self.node_id
    }

    /// A heartbeat that began at `began` has succeeded. Measured from its beginning, and with a margin, so that this
    /// node stops believing before others start to doubt.
    pub fn renewed(&self, began: Instant, lease: Duration) {
        *self.alive_until.lock() = began + lease - lease / 5;
    }

    /// Whether new work may be claimed. Not the fence, only good manners: the fence is in the database.
    pub fn is_alive(&self) -> bool {
        Instant::now() < *self.alive_until.lock()
    }
}
