//! Membership: a row a node, kept alive by a heartbeat.
//!
//! What a node holds (cursors, running jobs) is tied to this row, so that one small update renews everything, however
//! much it is. The time that counts is the database's on PostgreSQL: nodes need not agree on the time, only to live in
//! it at the same speed.

use plinth_kernel::Micros;
use plinth_store::{Engine, Error, Tx, args};
use std::sync::OnceLock;

/// Names this process for as long as it lives.
static PROCESS: OnceLock<String> = OnceLock::new();

/// The clock that leases are measured with.
pub(crate) fn database_now(tx: &mut Tx<'_>) -> Result<Micros, Error> {
    match tx.engine() {
        Engine::Sqlite => Ok(tx.now()),
        Engine::Postgres => {
            tx.one("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)", args![])
        }
    }
}

/// Registers a node. On SQLite only one process can have the file open, so every node of another process is dead: its
/// row goes at once, and what it held is taken over without waiting for its lease.
pub(crate) fn register(tx: &mut Tx<'_>, node_id: &str, lease_ms: i64) -> Result<(), Error> {
    let process = PROCESS.get_or_init(|| format!("{}-{}", std::process::id(), tx.world().token())).clone();
    if tx.engine() == Engine::Sqlite {
        tx.exec("DELETE FROM flow_nodes WHERE process <> $1", args![&process])?;
    }
    let now = database_now(tx)?;
    tx.exec(
        "INSERT INTO flow_nodes (node_id, process, started_at, lease_until) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (node_id) DO UPDATE SET lease_until = excluded.lease_until",
        args![node_id, &process, now, now.plus_ms(lease_ms)],
    )?;
    Ok(())
}

/// What a heartbeat found.
#[derive(Debug, Clone)]
pub(crate) struct Beat {
    /// Whether the lease had been lost: everything held may have new owners.
    pub lost: bool,
    /// The nodes that are alive, in order.
    pub nodes: Vec<String>,
}

/// Renews a node's lease.
pub(crate) fn beat(tx: &mut Tx<'_>, node_id: &str, lease_ms: i64) -> Result<Beat, Error> {
    let now = database_now(tx)?;
    let renewed = tx.exec(
        "UPDATE flow_nodes SET lease_until = $2 WHERE node_id = $1 AND lease_until >= $3",
        args![node_id, now.plus_ms(lease_ms), now],
    )?;
    if renewed == 0 {
        register(tx, node_id, lease_ms)?;
    }
    // Dead nodes are remembered for a while, for whoever reads the table, and then forgotten.
    tx.exec("DELETE FROM flow_nodes WHERE lease_until < $1", args![now.plus_ms(-60 * 60_000)])?;
    let nodes =
        tx.all("SELECT node_id FROM flow_nodes WHERE lease_until >= $1 ORDER BY node_id", args![now])?;
    Ok(Beat { lost: renewed == 0, nodes })
}

/// Ends a node's membership: what it still holds is free at once.
pub(crate) fn leave(tx: &mut Tx<'_>, node_id: &str) -> Result<(), Error> {
    tx.exec("DELETE FROM flow_nodes WHERE node_id = $1", args![node_id])?;
    Ok(())
}
