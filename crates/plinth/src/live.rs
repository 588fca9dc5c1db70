//! What the console sees as it happens: every event of a tenant, on its channel, for as long as one may look.
//!
//! A connection hangs on one process, so each process that has connections reads the event log for its own, from the
//! moment it started. Nothing is written and nothing is owed: what a client has missed it reads from the API.

use plinth_identity::TENANT_CHANNEL;
use plinth_kernel::Event;
use plinth_realtime::{Disconnect, Hub};
use plinth_store::{Error, PartitionSet, Store, Tx, events};
use serde_json::json;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// After these a member may see less than before: their connections are closed, and open again only with what they
/// may see now.
const ENDS_CONNECTIONS: [&str; 3] =
    ["identity.member.removed", "identity.member.role_changed", "identity.session.ended"];
/// How often there is a look without a wake-up, which may be lost between processes.
const EVERY: Duration = Duration::from_secs(1);
/// Events of one partition that are read at once.
const BATCH: u32 = 64;

/// Publishes what is committed from now on, until `stop`.
pub async fn run(hub: Hub, store: Store, stop: CancellationToken) {
    let mut wakeups = store.on_events();
    let mut place = None;
    loop {
        let known = place.clone();
        match store.read(move |tx| Place::news(tx, known.as_ref())).await {
            Ok((next, news)) => {
                for event in &news {
                    publish(&hub, event);
                    // A publication costs something for every subscriber: others take their turn in between.
                    tokio::task::yield_now().await;
                }
                place = Some(next);
                if !news.is_empty() && !stop.is_cancelled() {
                    continue;
                }
            }
            Err(error) => {
                tracing::debug!(%error, "live events could not be read; there is another try in a moment")
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            PartitionSet(_) = wakeups.recv() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// How far each partition has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place(Vec<i64>);

impl Place {
    /// What came after a place, each partition in order, and the place behind it; without one, only where it is now.
    fn news(tx: &mut Tx<'_>, known: Option<&Self>) -> Result<(Self, Vec<Event>), Error> {
        let heads = events::heads(tx)?;
        let Some(Self(mut seen)) = known.cloned() else { return Ok((Self(heads), Vec::new())) };
        let mut news = Vec::new();
        for (partition, (seen, head)) in (0..).zip(seen.iter_mut().zip(heads)) {
            if *seen < head {
                news.extend(events::after(tx, partition, *seen, BATCH)?);
                // A sweep may have taken what a long stall has left unread.
                *seen = news
                    .last()
                    .filter(|event| event.partition == partition)
                    .map_or(head, |event| event.sequence);
            }
        }
        Ok((Self(seen), news))
    }
}

fn publish(hub: &Hub, event: &Event) {
    if ENDS_CONNECTIONS.contains(&event.kind.as_str())
        && let Some(member) = event.data["member_id"].as_str()
    {
        hub.disconnect_everywhere(member, Disconnect::FORCE_RECONNECT);
    }
    let data = json!({"type": "event", "event": {
        "id": event.id, "kind": event.kind, "version": event.version, "subject": event.subject,
        "partition": event.partition, "sequence": event.sequence, "actor": event.actor.to_string(),
        "trace_id": event.trace.trace_id, "created_at": event.created_at, "data": event.data,
    }});
    hub.publish(&event.tenant, TENANT_CHANNEL, &data);
}

#[cfg(test)]
mod tests {
    use super::*;
    use plinth_kernel::{Actor, Id, NewEvent, TenantId, TraceContext};
    use plinth_testkit::{TestStore, both_engines};

    async fn emit(store: &TestStore, count: usize) {
        let trace = TraceContext::root(store.world());
        let write = store.write(move |tx| {
            for n in 0..count {
                tx.emit(NewEvent {
                    tenant: TenantId::from_uuid([1; 16]),
                    kind: "test.thing.happened",
                    version: 1,
                    subject: format!("thing-{}", n % 3),
                    data: json!({"n": n}),
                    actor: Actor::Anonymous,
                    trace,
                    causation: None,
                });
            }
            Ok::<_, Error>(())
        });
        write.await.unwrap();
    }

    both_engines! {
        async fn every_event_from_now_on_is_read_once_and_in_order(store: TestStore) {
            emit(&store, 3).await;
            let (mut place, old) = store.read(|tx| Place::news(tx, None)).await.unwrap();
            assert!(old.is_empty(), "what was before is history");
            emit(&store, 500).await;
            let mut seen: Vec<Vec<u64>> = vec![Vec::new(); 3];
            loop {
                let known = place.clone();
                let (next, news) = store.read(move |tx| Place::news(tx, Some(&known))).await.unwrap();
                if news.is_empty() {
                    assert_eq!(next, place);
                    break;
                }
                place = next;
                for event in news {
                    let n = event.data["n"].as_u64().unwrap();
                    seen[(n % 3) as usize].push(n);
                }
            }
            for (thing, numbers) in (0..).zip(&seen) {
                assert_eq!(*numbers, (0..500).filter(|n| n % 3 == thing).collect::<Vec<u64>>());
            }
        }
    }
}
