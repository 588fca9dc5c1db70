//! Forgets stored answers past their time, a batch at a time so that the writer is never held for long.

use crate::limits::IDEMPOTENCY_SWEEP_BATCH;
use plinth_kernel::{Micros, Problem};
use plinth_store::{Store, args, owned};

/// Removes answers stored before `before`; returns how many.
pub async fn idempotency(store: &Store, before: Micros) -> Result<u64, Problem> {
    let mut removed = 0;
    loop {
        let oldest: Option<(Micros,)> = store
            .get(
                "SELECT created_at FROM api_idempotency WHERE created_at < $1 ORDER BY created_at LIMIT 1",
                owned![before],
            )
            .await?;
        let Some((oldest,)) = oldest else { return Ok(removed) };
        removed += store
            .write(move |tx| {
                // The age index bounds the scan on both engines, which have no common DELETE … LIMIT.
                let edge: Option<(Micros,)> = tx.opt(
                    "SELECT created_at FROM api_idempotency WHERE created_at >= $1 AND created_at < $2
                     ORDER BY created_at LIMIT 1 OFFSET $3",
                    args![oldest, before, IDEMPOTENCY_SWEEP_BATCH],
                )?;
                let edge = edge.map_or(before, |(at,)| at.max(Micros(oldest.0 + 1)));
                tx.exec(
                    "DELETE FROM api_idempotency WHERE created_at >= $1 AND created_at < $2",
                    args![oldest, edge],
                )
            })
            .await
            .map_err(|error: plinth_store::Error| Problem::from(error))?;
    }
}
