//! Wake-ups between nodes: one connection that says where events were appended, one that hears it.
//!
//! `NOTIFY` inside a transaction takes a lock of the whole database at its commit and costs two thirds of the
//! throughput; here one connection of its own sends what has gathered while its previous message was under way. A
//! message that is lost (with its process or its connection) costs latency, never an event: consumers also look unasked.

use super::conn::Settings;
use crate::shared::Shared;
use crate::sqlite::spawn;
use crate::{Error, Result};
use crossbeam_channel::{Receiver, bounded};
use postgres::Client;
use postgres::fallible_iterator::FallibleIterator;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How long to wait before connecting again.
const RECONNECT_PAUSE: Duration = Duration::from_millis(500);

/// How often the listener looks whether its store is still there.
const LISTEN_TICK: Duration = Duration::from_millis(500);

/// Starts the two threads. They end by themselves when the store is gone and are not waited for.
pub(super) fn start(settings: &Arc<Settings>, shared: &Arc<Shared>) -> Result<()> {
    let node: u64 = u64::from_le_bytes(shared.world.bytes());
    let pending = Arc::new(AtomicU64::new(0));
    let (bell, rung) = bounded::<()>(1);
    let gathering = pending.clone();
    let broadcast = move |partitions: u64| {
        gathering.fetch_or(partitions, Ordering::AcqRel);
        let _ = bell.try_send(()); // full: it has been rung already
    };
    if shared.broadcast.set(Box::new(broadcast)).is_err() {
        return Err(Error::Open("the store was started twice".into()));
    }
    let (notify_settings, listen_settings) = (settings.clone(), settings.clone());
    let weak = Arc::downgrade(shared);
    spawn("postgres-notify", move || notify(&notify_settings, node, &pending, &rung))?;
    spawn("postgres-listen", move || listen(&listen_settings, node, &weak))?;
    Ok(())
}

fn notify(settings: &Settings, node: u64, pending: &AtomicU64, rung: &Receiver<()>) {
    let mut client: Option<Client> = None;
    while rung.recv().is_ok() {
        let partitions = pending.swap(0, Ordering::AcqRel);
        if partitions == 0 {
            continue;
        }
        if client.as_ref().is_none_or(Client::is_closed) {
            client = settings.raw().ok();
        }
        let message = format!("NOTIFY plinth_events, '{node:016x}{partitions:016x}'");
        let sent = client.as_mut().is_some_and(|client| client.batch_execute(&message).is_ok());
        if !sent {
            client = None;
            std::thread::sleep(RECONNECT_PAUSE);
        }
    }
}

fn listen(settings: &Settings, node: u64, shared: &Weak<Shared>) {
    while shared.strong_count() > 0 {
        if let Ok(mut client) = settings.raw() {
            let _ = hear(&mut client, node, shared);
        }
        if shared.strong_count() > 0 {
            std::thread::sleep(RECONNECT_PAUSE);
        }
    }
}

/// Listens until the connection breaks or the store is gone.
fn hear(client: &mut Client, node: u64, shared: &Weak<Shared>) -> Result<(), postgres::Error> {
    client.batch_execute("LISTEN plinth_events")?;
    if let Some(shared) = shared.upgrade() {
        shared.wakeups.publish(u64::MAX); // whatever was said while nobody listened
    }
    while shared.strong_count() > 0 {
        let mut notifications = client.notifications();
        let mut heard = notifications.timeout_iter(LISTEN_TICK);
        while let Some(message) = heard.next()? {
            if let (Some((from, partitions)), Some(shared)) = (parse(message.payload()), shared.upgrade())
                && from != node
            {
                shared.wakeups.publish(partitions);
            }
        }
    }
    Ok(())
}

/// Node and partitions, 16 hexadecimal digits each.
fn parse(payload: &str) -> Option<(u64, u64)> {
    let hex = |range| u64::from_str_radix(payload.get(range)?, 16).ok();
    (payload.len() == 32).then_some(())?;
    Some((hex(0..16)?, hex(16..32)?))
}
