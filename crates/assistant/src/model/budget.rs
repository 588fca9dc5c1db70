//! Money: reserve the most a call can cost before it is made, commit what it cost, release the rest.
//!
//! Because the reservation is an upper bound and is taken before the call, a cap is never exceeded, not even by one call
//! and not by any number of visitors at once. Amounts are millionths of a currency unit.

use super::generation::Usage;

/// Price of a model, in micro-units per million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Tokens read.
    pub input_micros_per_million: u64,
    /// Tokens written.
    pub output_micros_per_million: u64,
    /// Tokens read from the provider's cache.
    #[serde(default)]
    pub cached_micros_per_million: u64,
}

impl Price {
    /// What a call cost, rounded up. Cached tokens are part of the input.
    pub fn cost(&self, usage: Usage) -> u64 {
        let part = |tokens: u64, price: u64| u128::from(tokens) * u128::from(price);
        let cached = usage.cached.min(usage.input);
        let total = part(usage.input - cached, self.input_micros_per_million)
            + part(cached, self.cached_micros_per_million)
            + part(usage.output, self.output_micros_per_million);
        u64::try_from(total.div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }

    /// The most a call can cost. A token is never shorter than a byte, so bytes bound tokens whatever the tokeniser.
    pub fn most(&self, prompt_bytes: usize, output_tokens_max: u64) -> u64 {
        let dearer = Self {
            cached_micros_per_million: 0,
            input_micros_per_million: self.input_micros_per_million.max(self.cached_micros_per_million),
            ..*self
        };
        dearer.cost(Usage {
            input: prompt_bytes as u64 + CHAT_TEMPLATE_TOKENS,
            output: output_tokens_max,
            cached: 0,
            reported: false,
        })
    }
}

/// Tokens a chat template adds around the messages.
const CHAT_TEMPLATE_TOKENS: u64 = 64;

/// Average bytes of a token, for usage that a provider does not report.
const BYTES_PER_TOKEN: u64 = 4;

/// Usage as estimated from the text.
pub fn estimate(prompt_bytes: usize, answer_bytes: usize) -> Usage {
    let tokens = |bytes: usize| (bytes as u64).div_ceil(BYTES_PER_TOKEN);
    Usage { input: tokens(prompt_bytes), output: tokens(answer_bytes), cached: 0, reported: false }
}

/// One bucket of a budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Set aside for calls under way.
    pub reserved: u64,
    /// Spent for good.
    pub spent: u64,
}

impl Bucket {
    /// Sets `amount` aside if that keeps the bucket within `cap`.
    pub fn reserve(self, amount: u64, cap: u64) -> Option<Self> {
        let reserved = self.reserved.checked_add(amount)?;
        let total = reserved.checked_add(self.spent)?;
        (total <= cap).then_some(Self { reserved, ..self })
    }

    /// Turns a reservation into what was really spent. A cost beyond the reservation is a wrong price list; the cap still
    /// holds, and the difference is for the operator's log.
    pub fn commit(self, reservation: u64, cost: u64) -> Self {
        Self {
            reserved: self.reserved.saturating_sub(reservation),
            spent: self.spent.saturating_add(cost.min(reservation)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cost_is_rounded_up_and_cached_tokens_are_counted_once() {
        let price = Price {
            input_micros_per_million: 150_000,
            output_micros_per_million: 600_000,
            cached_micros_per_million: 75_000,
        };
        let usage = Usage { input: 1_000, output: 100, cached: 400, reported: true };
        assert_eq!(price.cost(usage), (600 * 150_000 + 400 * 75_000 + 100 * 600_000u64).div_ceil(1_000_000));
        assert_eq!(price.cost(Usage { input: 1, ..Usage::default() }), 1);
    }

    proptest! {
        #[test]
        fn a_cap_is_never_exceeded(cap in 0u64..1_000, steps in prop::collection::vec((0u64..200, 0u64..300, any::<bool>()), 0..60)) {
            let (mut bucket, mut open) = (Bucket::default(), Vec::new());
            for (amount, cost, finish) in steps {
                if finish {
                    if let Some(reserved) = open.pop() {
                        bucket = bucket.commit(reserved, cost);
                    }
                } else if let Some(next) = bucket.reserve(amount, cap) {
                    bucket = next;
                    open.push(amount);
                }
                prop_assert!(bucket.reserved + bucket.spent <= cap);
                prop_assert_eq!(bucket.reserved, open.iter().sum::<u64>());
            }
        }

        #[test]
        fn a_reservation_covers_any_cost(prompt in 0usize..10_000, output in 0u64..2_000, cached in 0u64..10_000, used in 0u64..2_000, i in 0u64..10_000_000, o in 0u64..10_000_000, c in 0u64..10_000_000) {
            let price = Price { input_micros_per_million: i, output_micros_per_million: o, cached_micros_per_million: c };
            let usage = Usage { input: prompt as u64, output: used.min(output), cached, reported: true };
            prop_assert!(price.cost(usage) <= price.most(prompt, output));
        }
    }
}
