//! Rate limits: which buckets a request is taken from, and the headers that tell the caller.
//!
//! Headers follow draft-ietf-httpapi-ratelimit-headers-10: `RateLimit-Policy: "tenant";q=6000;w=60` and
//! `RateLimit: "tenant";r=5999;t=1`, structured fields (RFC 9651) both.

use crate::{
    gcra::{self, Rate, Verdict},
    limits,
};
use http::HeaderValue;
use parking_lot::Mutex;
use plinth_identity::{RateCells, model::net::throttle_block};
use plinth_kernel::{Code, Micros, Problem};
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::atomic::AtomicU64,
};

/// The rates of an installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Of a tenant, everything together.
    pub tenant: Rate,
    /// Of a tenant, changes only.
    pub tenant_writes: Rate,
    /// Of one key, member or end user.
    pub caller: Rate,
    /// Of one address that holds no secret: visitors, publishable keys, nobody.
    pub address: Rate,
    /// Of one address, pages and files.
    pub pages: Rate,
    /// Failed authentications of one address.
    pub failures: Rate,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            tenant: Rate::per_seconds(60_000, 60),
            tenant_writes: Rate::per_seconds(30_000, 60),
            caller: Rate::per_seconds(30_000, 60),
            address: Rate::per_seconds(1_200, 60),
            pages: Rate::per_seconds(6_000, 60),
            failures: Rate::per_seconds(60, 60),
        }
    }
}

/// Names of the policies, in the order in which they are taken.
const TENANT: usize = 0;
const WRITES: usize = 1;
const CALLER: usize = 2;
const POLICIES: usize = 4;
pub(crate) const NAMES: [&str; POLICIES] = ["tenant", "writes", "caller", "address"];
/// The policy of pages, which has no headers of its own.
pub(crate) const PAGES: &str = "pages";

/// Cells of an address.
#[derive(Debug, Default)]
struct AddressCells {
    requests: AtomicU64,
    pages: AtomicU64,
    failures: AtomicU64,
}

/// The buckets that do not belong to a credential, and the rates of all.
#[derive(Debug)]
pub struct Quotas {
    rates: Rates,
    policy_headers: [HeaderValue; 1 << POLICIES],
    shards: Vec<Mutex<HashMap<IpAddr, Box<AddressCells>>>>,
    /// Shared by addresses that came when a table was full of busy ones: nobody is unlimited.
    overflow: AddressCells,
    hasher: RandomState,
}

/// What a request was allowed, for its headers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Receipt {
    applied: [Option<Verdict>; POLICIES],
}

/// Whose buckets.
#[derive(Debug, Clone, Copy)]
pub struct Charged<'a> {
    /// The tenant's cells, for callers of a tenant.
    pub tenant: Option<&'a RateCells>,
    /// The caller's own, for holders of a secret.
    pub caller: Option<&'a RateCells>,
    /// The address, for callers that hold none.
    pub address: Option<IpAddr>,
    /// Whether it is a change.
    pub is_write: bool,
    /// What the operation costs.
    pub cost: u32,
}

impl Quotas {
    /// Empty buckets' opposites: all full.
    #[must_use]
    pub fn new(rates: Rates) -> Self {
        Self {
            policy_headers: std::array::from_fn(|mask| policy_header(&rates, mask)),
            rates,
            shards: (0..limits::CELL_SHARDS).map(|_| Mutex::new(HashMap::new())).collect(),
            overflow: AddressCells::default(),
            hasher: RandomState::new(),
        }
    }

    /// The rates.
    #[must_use]
    pub fn rates(&self) -> &Rates {
        &self.rates
    }

    fn rate(&self, policy: usize) -> Rate {
        match policy {
            TENANT => self.rates.tenant,
            WRITES => self.rates.tenant_writes,
            CALLER => self.rates.caller,
            _ => self.rates.address,
        }
    }

    /// Takes a request from every bucket it belongs to, or from none.
    pub fn charge(&self, charged: Charged<'_>, now: Micros) -> Result<Receipt, (Problem, Receipt)> {
        match charged.address {
            None => self.charge_cells(charged, None, now),
            Some(address) => self
                .with_address(address, now, |cells| self.charge_cells(charged, Some(&cells.requests), now)),
        }
    }

    fn charge_cells(
        &self,
        charged: Charged<'_>,
        address: Option<&AtomicU64>,
        now: Micros,
    ) -> Result<Receipt, (Problem, Receipt)> {
        let cells = [
            charged.tenant.map(|t| &t.cells[0]),
            charged.tenant.filter(|_| charged.is_write).map(|t| &t.cells[1]),
            charged.caller.map(|c| &c.cells[0]),
            address,
        ];
        let mut receipt = Receipt::default();
        for (policy, cell) in cells.iter().enumerate() {
            let Some(cell) = cell else { continue };
            let verdict = gcra::take(cell, self.rate(policy), charged.cost, now);
            receipt.applied[policy] = Some(verdict);
            if !verdict.allowed {
                for (before, cell) in cells[..policy].iter().enumerate() {
                    if let Some(cell) = cell {
                        gcra::refund(cell, self.rate(before), charged.cost);
                    }
                }
                return Err((refused(NAMES[policy], verdict), receipt));
            }
        }
        Ok(receipt)
    }

    /// Counts a page or file of an address.
    pub fn charge_page(&self, address: IpAddr, now: Micros) -> Result<(), Problem> {
        let verdict =
            self.with_address(address, now, |cells| gcra::take(&cells.pages, self.rates.pages, 1, now));
        if verdict.allowed { Ok(()) } else { Err(refused("pages", verdict)) }
    }

    /// Whether this address has failed to authenticate too often lately.
    pub fn check_failures(&self, address: IpAddr, now: Micros) -> Result<(), Problem> {
        let verdict =
            self.with_address(address, now, |cells| gcra::peek(&cells.failures, self.rates.failures, now));
        if verdict.allowed { Ok(()) } else { Err(refused("failures", verdict)) }
    }

    /// Notes a failed authentication.
    pub fn note_failure(&self, address: IpAddr, now: Micros) {
        self.with_address(address, now, |cells| gcra::take(&cells.failures, self.rates.failures, 1, now));
    }

    fn with_address<T>(&self, address: IpAddr, now: Micros, f: impl FnOnce(&AddressCells) -> T) -> T {
        let block = throttle_block(address);
        let mut shard = self.shards[self.hasher.hash_one(block) as usize % limits::CELL_SHARDS].lock();
        let full = limits::CELLS_MAX / limits::CELL_SHARDS;
        if shard.len() >= full && !shard.contains_key(&block) {
            // Full buckets say nothing: dropping them loses nothing.
            shard.retain(|_, cells| {
                [&cells.requests, &cells.pages, &cells.failures].iter().any(|cell| !gcra::is_idle(cell, now))
            });
            if shard.len() >= full {
                return f(&self.overflow);
            }
        }
        f(shard.entry(block).or_default())
    }

    /// The two headers of a receipt; none when no policy applied.
    #[must_use]
    pub fn headers(&self, receipt: &Receipt) -> Option<(HeaderValue, HeaderValue)> {
        let (mut mask, mut text) = (0, String::with_capacity(96));
        for (policy, verdict) in receipt.applied.iter().enumerate() {
            let Some(verdict) = verdict else { continue };
            mask |= 1 << policy;
            if !text.is_empty() {
                text.push_str(", ");
            }
            text.push('"');
            text.push_str(NAMES[policy]);
            text.push_str("\";r=");
            push_number(&mut text, u64::from(verdict.remaining));
            text.push_str(";t=");
            push_number(&mut text, verdict.reset_ms.div_ceil(1_000));
        }
        if mask == 0 {
            return None;
        }
        let limit = HeaderValue::from_maybe_shared(bytes::Bytes::from(text)).ok()?;
        Some((self.policy_headers[mask].clone(), limit))
    }
}

fn refused(policy: &'static str, verdict: Verdict) -> Problem {
    let detail = match policy {
        "failures" => {
            "Too many failed authentications from this address. Wait, then send a valid credential."
        }
        _ => "Too many requests. Slow down to the rate in RateLimit-Policy and retry after Retry-After.",
    };
    let mut problem = Problem::new(Code::RateLimited, detail).retry_after_ms(verdict.retry_ms.max(1));
    problem.extensions.insert("violated-policies".into(), serde_json::json!([policy]));
    problem
}

fn policy_header(rates: &Rates, mask: usize) -> HeaderValue {
    let all = [rates.tenant, rates.tenant_writes, rates.caller, rates.address];
    let parts: Vec<String> = (0..POLICIES)
        .filter(|policy| mask & (1 << policy) != 0)
        .map(|policy| {
            format!(
                "\"{}\";q={};w={}",
                NAMES[policy],
                all[policy].quota,
                all[policy].window_ms.div_ceil(1_000)
            )
        })
        .collect();
    HeaderValue::try_from(parts.join(", ")).unwrap_or(HeaderValue::from_static(""))
}

/// Decimal digits without the machinery of `fmt`: this runs for every request.
fn push_number(text: &mut String, mut number: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text.extend(digits[at..].iter().map(|digit| char::from(*digit)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Micros = Micros(1_767_225_600_000_000);

    fn quotas(rates: Rates) -> Quotas {
        Quotas::new(rates)
    }

    fn charged<'a>(tenant: &'a RateCells, caller: &'a RateCells, is_write: bool) -> Charged<'a> {
        Charged { tenant: Some(tenant), caller: Some(caller), address: None, is_write, cost: 1 }
    }

    #[test]
    fn the_tightest_policy_refuses_and_the_others_give_back() {
        let quotas = quotas(Rates { caller: Rate::per_seconds(2, 60), ..Rates::default() });
        let (tenant, caller) = (RateCells::default(), RateCells::default());
        for _ in 0..2 {
            assert!(quotas.charge(charged(&tenant, &caller, false), NOW).is_ok());
        }
        let before = gcra::peek(&tenant.cells[0], quotas.rates.tenant, NOW);
        let (problem, _) = quotas.charge(charged(&tenant, &caller, false), NOW).unwrap_err();
        assert_eq!(problem.code, Code::RateLimited);
        assert_eq!(problem.extensions["violated-policies"], serde_json::json!(["caller"]));
        assert_eq!(problem.retry_after_ms, Some(30_000));
        assert_eq!(
            gcra::peek(&tenant.cells[0], quotas.rates.tenant, NOW),
            before,
            "the tenant did not pay for it"
        );
    }

    #[test]
    fn headers_are_structured_fields_of_the_draft() {
        let quotas = quotas(Rates::default());
        let (tenant, caller) = (RateCells::default(), RateCells::default());
        let receipt = quotas.charge(charged(&tenant, &caller, true), NOW).unwrap();
        let (policy, limit) = quotas.headers(&receipt).unwrap();
        assert_eq!(policy, "\"tenant\";q=60000;w=60, \"writes\";q=30000;w=60, \"caller\";q=30000;w=60");
        assert_eq!(limit, "\"tenant\";r=59999;t=1, \"writes\";r=29999;t=1, \"caller\";r=29999;t=1");
        assert!(quotas.headers(&Receipt::default()).is_none());
    }

    #[test]
    fn failures_are_counted_by_address_and_do_not_stop_others() {
        let quotas = quotas(Rates { failures: Rate::per_seconds(3, 60), ..Rates::default() });
        let (bad, good): (IpAddr, IpAddr) = ("203.0.113.7".parse().unwrap(), "203.0.113.8".parse().unwrap());
        for _ in 0..3 {
            assert!(quotas.check_failures(bad, NOW).is_ok());
            quotas.note_failure(bad, NOW);
        }
        assert!(quotas.check_failures(bad, NOW).is_err());
        assert!(quotas.check_failures(good, NOW).is_ok());
        assert!(quotas.check_failures(bad, NOW.plus_ms(20_000)).is_ok());
    }

    #[test]
    fn ipv6_neighbours_share_a_bucket() {
        let quotas = quotas(Rates { pages: Rate::per_seconds(1, 60), ..Rates::default() });
        assert!(quotas.charge_page("2001:db8::1".parse().unwrap(), NOW).is_ok());
        assert!(quotas.charge_page("2001:db8::ffff".parse().unwrap(), NOW).is_err());
        assert!(quotas.charge_page("2001:db8:0:1::1".parse().unwrap(), NOW).is_ok());
    }

    proptest! {
        #[test]
        fn numbers_are_written_as_fmt_writes_them(number: u64) {
            let mut text = String::new();
            push_number(&mut text, number);
            prop_assert_eq!(text, number.to_string());
        }
    }
}
