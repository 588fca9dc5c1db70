//! Failed logins, remembered per account and per block of addresses.
//!
//! In memory and bounded: a restart forgets, and each node counts for itself, so with n nodes an attacker has n
//! times the guesses. That is the price of not turning every guess into a write.

use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use plinth_kernel::{Code, Micros, Problem};
use sha2::{Digest, Sha256};

use crate::cache::Cache;
use crate::limits::THROTTLE_ENTRIES;
use crate::model::net::throttle_block;
use crate::model::throttle::{ACCOUNT, ADDRESS, Meter, Policy};

type Shared = Arc<Mutex<Meter>>;

pub(crate) struct Throttle {
    accounts: Cache<[u8; 32], Shared>,
    addresses: Cache<IpAddr, Shared>,
}

/// An attempt that was let through. It counts as failed from the start, so that many at once cannot slip past the
/// limit together; a good end takes that back.
#[must_use]
pub(crate) struct Attempt {
    account: Shared,
    address: Option<Shared>,
}

impl Throttle {
    pub fn new() -> Self {
        Self { accounts: Cache::new(THROTTLE_ENTRIES), addresses: Cache::new(THROTTLE_ENTRIES) }
    }

    /// Lets an attempt through or says how long to wait. An account that does not exist is counted like one that
    /// does: the answer must not tell them apart.
    pub fn begin(&self, account: &str, address: Option<IpAddr>, now: Micros) -> Result<Attempt, Problem> {
        let key: [u8; 32] = Sha256::digest(account.as_bytes()).into();
        let account = self.accounts.get_or_insert_with(key, Shared::default);
        let address =
            address.map(|ip| self.addresses.get_or_insert_with(throttle_block(ip), Shared::default));
        if let Some(address) = &address {
            count(address, &ADDRESS, now)?;
        }
        if let Err(wait) = count(&account, &ACCOUNT, now) {
            // An attempt that the account's limit stops is no guess; counting it would punish the whole network.
            address.inspect(|address| address.lock().forgive());
            return Err(wait);
        }
        Ok(Attempt { account, address })
    }
}

fn count(meter: &Shared, policy: &Policy, now: Micros) -> Result<(), Problem> {
    let mut meter = meter.lock();
    match meter.wait_ms(policy, now) {
        0 => {
            meter.fail(policy, now);
            Ok(())
        }
        wait_ms => Err(Problem::new(Code::RateLimited, "Too many failed logins. Wait, then try again.")
            .retry_after_ms(wait_ms)),
    }
}

impl Attempt {
    /// The right password: the account starts afresh. The address keeps its other failures, or somebody with one
    /// account of their own could guess at others for ever.
    pub fn succeeded(self) {
        *self.account.lock() = Meter::default();
        self.take_back_address();
    }

    /// It could not be decided (the store was away): nobody's fault.
    pub fn undecided(self) {
        self.account.lock().forgive();
        self.take_back_address();
    }

    fn take_back_address(&self) {
        if let Some(address) = &self.address {
            address.lock().forgive();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = Micros(1_767_225_600_000_000);

    fn ip(n: u8) -> Option<IpAddr> {
        Some(IpAddr::from([203, 0, 113, n]))
    }

    #[test]
    fn a_guesser_is_slowed_per_account_from_any_address() {
        let throttle = Throttle::new();
        for n in 0..11 {
            assert!(throttle.begin("ada@example.com", ip(n), NOW).is_ok());
        }
        let refused = throttle.begin("ada@example.com", ip(99), NOW).err().unwrap();
        assert_eq!((refused.code, refused.retry_after_ms), (Code::RateLimited, Some(1_000)));
        assert!(throttle.begin("bob@example.com", ip(99), NOW).is_ok());
        assert!(throttle.begin("ada@example.com", ip(99), NOW.plus_ms(1_000)).is_ok());
    }

    #[test]
    fn a_guesser_is_slowed_per_address_over_many_accounts() {
        let throttle = Throttle::new();
        for n in 0..21 {
            assert!(throttle.begin(&format!("{n}@example.com"), ip(1), NOW).is_ok());
        }
        assert!(throttle.begin("fresh@example.com", ip(1), NOW).is_err());
        assert!(throttle.begin("fresh@example.com", ip(2), NOW).is_ok());
    }

    #[test]
    fn success_clears_the_account_and_an_undecided_attempt_costs_nothing() {
        let throttle = Throttle::new();
        for _ in 0..10 {
            let _ = throttle.begin("ada@example.com", ip(1), NOW).unwrap();
        }
        throttle.begin("ada@example.com", ip(1), NOW).unwrap().succeeded();
        for _ in 0..10 {
            throttle.begin("ada@example.com", ip(1), NOW).unwrap().undecided();
        }
        for _ in 0..10 {
            assert!(throttle.begin("ada@example.com", ip(1), NOW).is_ok());
        }
    }

    #[test]
    fn many_guesses_at_once_do_not_slip_past_together() {
        let throttle = Throttle::new();
        let let_through = std::thread::scope(|scope| {
            let handles: Vec<_> = (0..64)
                .map(|_| scope.spawn(|| throttle.begin("ada@example.com", None, NOW).is_ok()))
                .collect();
            handles.into_iter().map(|handle| u32::from(handle.join().unwrap())).sum::<u32>()
        });
        assert_eq!(let_through, ACCOUNT.free + 1);
    }
}
