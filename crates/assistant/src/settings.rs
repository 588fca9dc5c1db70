//! What an operator can set. Everything has a default that needs no network, no key and no money.

use std::time::Duration;

use crate::limits;
use crate::provider::OpenAiSettings;

/// Settings of the assistant, section `[assistant]` of the configuration.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// A language model to answer with; the extractive answerer when absent.
    pub openai_compat: Option<OpenAiSettings>,
    /// Calls to the model at the same time.
    pub concurrency: usize,
    /// Money.
    pub budget: BudgetSettings,
    /// How long conversations are kept, in days.
    pub retention_days: u32,
    /// How long an answer is written on after its last reader has left, in milliseconds.
    #[serde(rename = "disconnect_grace_ms", deserialize_with = "milliseconds")]
    pub disconnect_grace: Duration,
}

/// Caps on what a model may cost, in millionths of a currency unit. Beyond them answers are extractive.
#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetSettings {
    /// Questions of one visitor a day that go to a model.
    pub visitor_questions_per_day: u32,
    /// Spent on one visitor a day.
    pub visitor_micros_per_day: u64,
    /// Spent by a tenant a day.
    pub tenant_micros_per_day: u64,
    /// Spent by a tenant a month.
    pub tenant_micros_per_month: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            openai_compat: None,
            concurrency: 8,
            budget: BudgetSettings::default(),
            retention_days: 30,
            disconnect_grace: limits::DISCONNECT_GRACE,
        }
    }
}

impl Default for BudgetSettings {
    fn default() -> Self {
        Self {
            visitor_questions_per_day: 60,
            visitor_micros_per_day: 50_000,
            tenant_micros_per_day: 1_000_000,
            tenant_micros_per_month: 10_000_000,
        }
    }
}

fn milliseconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    serde::Deserialize::deserialize(deserializer).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_section_is_enough_and_a_wrong_key_is_named() {
        let settings: Settings = toml::from_str("").unwrap();
        assert!(settings.openai_compat.is_none());
        let settings: Settings = toml::from_str(
            "disconnect_grace_ms = 5000\n[openai_compat]\nbase_url = \"http://127.0.0.1:1/v1\"\nmodel = \"m\"\napi_key = \"secret-key\"",
        )
        .unwrap();
        assert_eq!(settings.disconnect_grace, Duration::from_secs(5));
        assert!(!format!("{settings:?}").contains("secret-key"), "a key never reaches a log");
        assert!(toml::from_str::<Settings>("concurency = 1").unwrap_err().to_string().contains("concurency"));
    }
}
