//! What goes on beside the requests: seeing other processes' changes, writing down what was used, sweeping.

use std::time::Duration;

use plinth_kernel::{Micros, Problem};
use plinth_store::args;
use tokio_util::sync::CancellationToken;

use crate::Identity;
use crate::caches::Change;
use crate::limits::{
    CHANGES_KEPT_MS, CHANGES_PER_POLL_MAX, CHANGES_POLL_MS, SESSION_ABSOLUTE_MS, SESSION_IDLE_MS,
    SWEEP_BATCH, SWEEP_EVERY_MS, USAGE_FLUSH_MS,
};
use crate::tenants::facts;

/// How far this process has read the change log.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    generation: i64,
    at: Micros,
}

impl Identity {
    /// Runs until `stop`: polls for changes, flushes usage, sweeps. What was used and not yet written is written on
    /// the way out.
    pub async fn run(&self, stop: CancellationToken) {
        let every = |ms: u64| {
            let mut interval = tokio::time::interval(Duration::from_millis(ms));
            interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            interval
        };
        let (mut poll, mut flush, mut sweep) =
            (every(CHANGES_POLL_MS), every(USAGE_FLUSH_MS), every(SWEEP_EVERY_MS));
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = poll.tick() => report("polling for changes", self.poll_changes().await),
                _ = flush.tick() => report("writing usage", self.flush_usage().await),
                _ = sweep.tick() => report("sweeping", self.sweep().await.map(|_| ())),
            }
        }
        report("writing usage", self.flush_usage().await);
    }

    /// Forgets what other processes have changed since the last call.
    pub async fn poll_changes(&self) -> Result<(), Problem> {
        let seen = *self.seen().lock();
        let now = self.world().now();
        let (head, rows) = self
            .store()
            .read(move |tx| {
                let head: Option<i64> =
                    tx.opt("SELECT generation FROM identity_head WHERE id = 1", args![])?;
                let rows: Vec<(i64, String, String)> = tx.all(
                    "SELECT generation, kind, subject FROM identity_changes WHERE generation > $1
                     ORDER BY generation LIMIT $2",
                    args![seen.generation, CHANGES_PER_POLL_MAX],
                )?;
                Ok::<_, Problem>((head.unwrap_or_default(), rows))
            })
            .await?;
        // Rows are kept for a while only. Whoever was away for longer, or has too much to catch up with, starts anew.
        let away = now.since(seen.at) / 1_000 > CHANGES_KEPT_MS as i64 / 2;
        let behind = rows.len() as i64 == CHANGES_PER_POLL_MAX;
        if away || behind {
            self.caches().forget_everything();
        } else {
            for (_, kind, subject) in &rows {
                self.apply(Change::from_row(kind, subject)).await?;
            }
        }
        let generation =
            if behind { head } else { rows.last().map_or(seen.generation.max(head), |row| row.0) };
        *self.seen().lock() = Seen { generation, at: now };
        Ok(())
    }

    async fn apply(&self, change: Option<Change>) -> Result<(), Problem> {
        match change {
            // A kind that a newer program wrote during an upgrade.
            None => self.caches().forget_everything(),
            Some(Change::Tenant(id)) if self.caches().holds_tenant(&id) => {
                let wanted = id.clone();
                if let Some(facts) = self.store().read(move |tx| facts(tx, &wanted)).await? {
                    self.caches().tenant_changed(&id, facts);
                }
            }
            Some(change) => self.caches().forget(&change),
        }
        Ok(())
    }

    /// Writes when keys and sessions were last used. One transaction for all of them, never one per request.
    pub async fn flush_usage(&self) -> Result<(), Problem> {
        let used = &self.authenticator().used;
        let keys = std::mem::take(&mut *used.keys.lock());
        let sessions = std::mem::take(&mut *used.sessions.lock());
        let keys: Vec<_> = keys
            .iter()
            .filter_map(|key| Some((key.tenant().clone(), key.id()?.clone(), key.usage.taken())))
            .collect();
        let sessions: Vec<_> =
            sessions.iter().map(|session| (session.id.clone(), session.usage.taken())).collect();
        for batch in keys.chunks(SWEEP_BATCH as usize) {
            let batch = batch.to_vec();
            self.store()
                .write(move |tx| {
                    for (tenant, id, at) in &batch {
                        tx.exec(
                            "UPDATE api_keys SET last_used_at = $3 WHERE tenant_id = $1 AND id = $2
                               AND (last_used_at IS NULL OR last_used_at < $3)",
                            args![tenant, id, *at],
                        )?;
                    }
                    Ok::<_, Problem>(())
                })
                .await?;
        }
        for batch in sessions.chunks(SWEEP_BATCH as usize) {
            let batch = batch.to_vec();
            self.store()
                .write(move |tx| {
                    for (id, at) in &batch {
                        tx.exec(
                            "UPDATE sessions SET last_seen_at = $2 WHERE id = $1 AND last_seen_at < $2",
                            args![id, *at],
                        )?;
                    }
                    Ok::<_, Problem>(())
                })
                .await?;
        }
        Ok(())
    }

    /// Removes sessions that are over, setup tokens that expired and changes that everybody has seen; says how many
    /// rows went. Keys, invitations and the audit trail stay.
    pub async fn sweep(&self) -> Result<u64, Problem> {
        let batch = SWEEP_BATCH;
        self.store()
            .write(move |tx| {
                let now = tx.now();
                let idle = now.plus_ms(-(SESSION_IDLE_MS as i64));
                let old = now.plus_ms(-(SESSION_ABSOLUTE_MS as i64));
                let sessions = tx.exec(
                    "DELETE FROM sessions WHERE id IN (
                         SELECT id FROM sessions WHERE last_seen_at <= $1 OR created_at <= $2 LIMIT $3)",
                    args![idle, old, batch],
                )?;
                let changes = tx.exec(
                    "DELETE FROM identity_changes WHERE generation IN (
                         SELECT generation FROM identity_changes WHERE at <= $1 LIMIT $2)",
                    args![now.plus_ms(-(CHANGES_KEPT_MS as i64)), batch],
                )?;
                let tokens = tx.exec("DELETE FROM setup_tokens WHERE expires_at <= $1", args![now])?;
                Ok(sessions + changes + tokens)
            })
            .await
    }
}

fn report(what: &str, outcome: Result<(), Problem>) {
    if let Err(problem) = outcome {
        tracing::warn!(%problem, "{what} failed; it will be tried again");
    }
}
