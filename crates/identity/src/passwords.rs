//! Hashing passwords without letting logins take the machine: Argon2id on a pool of two.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use argon2::password_hash::{PasswordHash as Phc, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use plinth_kernel::{Code, Problem, World};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::{
    ARGON2_LANES, ARGON2_MEMORY_KIB, ARGON2_PASSES, PASSWORD_SLOTS, PASSWORD_WAITING_MAX, SECOND_MS,
};
use crate::model::password::Password;
use crate::secret::Secret;

/// Verified against when there is no such account, so that an unknown address takes as long as a wrong password.
/// The outcome is not looked at.
const NOBODYS_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$cGxpbnRoLm5vYm9keS5zYWx0$kx1rkfy0dlTKJkk8pdVeXv5E+MNjdHEzWZvO6rSlyE8";

/// A hashed password as it is stored (PHC string).
#[derive(Debug, Clone)]
pub struct HashedPassword(pub(crate) Secret<String>);

/// The pool.
#[derive(Clone)]
pub struct PasswordPool(Arc<Pool>);

struct Pool {
    slots: Arc<Semaphore>,
    waiting: AtomicUsize,
    computed: AtomicU64,
    world: World,
}

/// Counts a caller among the waiting while it waits, also when it gives up.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl PasswordPool {
    /// A pool with [`PASSWORD_SLOTS`] slots.
    pub fn new(world: World) -> Self {
        Self(Arc::new(Pool {
            slots: Arc::new(Semaphore::new(PASSWORD_SLOTS)),
            waiting: AtomicUsize::new(0),
            computed: AtomicU64::new(0),
            world,
        }))
    }

    /// Hashes computed so far.
    pub fn computed(&self) -> u64 {
        self.0.computed.load(Ordering::Acquire)
    }

    /// Hashes a chosen password.
    pub async fn hash(&self, password: Password) -> Result<HashedPassword, Problem> {
        let salt: [u8; 16] = self.0.world.bytes();
        self.run(move || {
            let salt = SaltString::encode_b64(&salt).map_err(Problem::internal)?;
            let hash =
                argon2()?.hash_password(password.reveal().as_bytes(), &salt).map_err(Problem::internal)?;
            Ok(HashedPassword(Secret::new(hash.to_string())))
        })
        .await
    }

    /// Whether `password` is the one behind `stored`. Without a stored hash the same work is done and the answer is
    /// no.
    pub async fn verify(&self, password: Password, stored: Option<HashedPassword>) -> Result<bool, Problem> {
        self.run(move || {
            let known = stored.is_some();
            let phc = stored.map_or_else(|| NOBODYS_HASH.to_owned(), |hash| hash.0.into_revealed());
            let parsed = Phc::new(&phc).map_err(Problem::internal)?;
            let fits = argon2()?.verify_password(password.reveal().as_bytes(), &parsed).is_ok();
            Ok(known && fits)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let permit = self.slot().await?;
        let pool = self.0.clone();
        tokio::task::spawn_blocking(move || {
            // The permit goes along: a caller who gives up does not free a slot that is still computing.
            let _permit = permit;
            pool.computed.fetch_add(1, Ordering::AcqRel);
            work()
        })
        .await
        .map_err(Problem::internal)?
    }

    async fn slot(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let pool = &self.0;
        let ahead = pool.waiting.fetch_add(1, Ordering::AcqRel);
        let _waiting = Waiting(&pool.waiting);
        if ahead >= PASSWORD_WAITING_MAX {
            return Err(Problem::new(Code::Overloaded, "Too many logins at once; try again in a moment.")
                .retry_after_ms(2 * SECOND_MS));
        }
        pool.slots.clone().acquire_owned().await.map_err(Problem::internal)
    }
}

fn argon2() -> Result<Argon2<'static>, Problem> {
    let params =
        Params::new(ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES, None).map_err(Problem::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> PasswordPool {
        PasswordPool::new(World::manual(1).0)
    }

    #[tokio::test]
    async fn the_right_password_fits_and_only_that() {
        let pool = pool();
        let password = |text| Password::presented(text).unwrap();
        let hash = pool.hash(password("correct horse battery")).await.unwrap();
        let prefix = format!("$argon2id$v=19$m={ARGON2_MEMORY_KIB},t={ARGON2_PASSES},p={ARGON2_LANES}$");
        assert!(hash.0.reveal().starts_with(&prefix), "{}", hash.0.reveal());
        assert!(pool.verify(password("correct horse battery"), Some(hash.clone())).await.unwrap());
        assert!(!pool.verify(password("correct horse batterx"), Some(hash)).await.unwrap());
    }

    #[tokio::test]
    async fn an_unknown_account_costs_the_same_hash() {
        assert!(NOBODYS_HASH.starts_with(&format!(
            "$argon2id$v=19$m={ARGON2_MEMORY_KIB},t={ARGON2_PASSES},p={ARGON2_LANES}$"
        )));
        let pool = pool();
        assert!(!pool.verify(Password::presented("anything").unwrap(), None).await.unwrap());
        assert_eq!(pool.computed(), 1, "the work was done although nobody was there");
    }

    #[tokio::test]
    async fn callers_beyond_the_waiting_room_are_refused_and_it_empties_again() {
        let pool = pool();
        let hold = pool.0.slots.clone().acquire_many_owned(PASSWORD_SLOTS as u32).await.unwrap();
        let waiting: Vec<_> = (0..PASSWORD_WAITING_MAX)
            .map(|_| {
                let pool = pool.clone();
                tokio::spawn(async move { pool.slot().await.map(|_| ()) })
            })
            .collect();
        while pool.0.waiting.load(Ordering::Acquire) < PASSWORD_WAITING_MAX {
            tokio::task::yield_now().await;
        }
        let refused = pool.slot().await.unwrap_err();
        assert_eq!(refused.code, Code::Overloaded);
        for task in waiting {
            task.abort();
            let _ = task.await;
        }
        assert_eq!(pool.0.waiting.load(Ordering::Acquire), 0, "those who gave up are not counted any more");
        drop(hold);
        assert!(pool.slot().await.is_ok());
    }
}
