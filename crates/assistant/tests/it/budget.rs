//! Money: a cap is never exceeded, and its exhaustion is no error.

use plinth_assistant::{BudgetSettings, Settings};
use plinth_store::owned;
use plinth_testkit::{TestStore, both_engines};
use serde_json::json;

use crate::support::{App, Upstream, app_with, ask, whole};

const QUESTION: &str = "How is the notification system built?";
const ANSWER: &str = "The notification system is an event-driven pipeline over Kafka. [1]";

async fn priced(store: &TestStore, budget: BudgetSettings) -> (App, Upstream) {
    let upstream = Upstream::start(vec![whole(ANSWER)]).await;
    let price =
        json!({"price": {"input_micros_per_million": 1_000_000, "output_micros_per_million": 2_000_000}});
    let settings = Settings { budget, ..Settings::default() };
    (app_with(store, settings, Some(upstream.provider_with(price))).await, upstream)
}

/// Reserved and spent by the tenant today.
async fn today(store: &TestStore) -> (i64, i64) {
    let sql = "SELECT reserved_micros, spent_micros FROM assistant_budgets WHERE bucket = 'tenant' ORDER BY length(period) DESC LIMIT 1";
    store.get(sql, owned![]).await.unwrap().unwrap_or_default()
}

both_engines! {
    async fn any_number_of_visitors_cannot_exceed_the_cap_and_all_get_an_answer(store: TestStore) {
        // A call reserves up to some 20,000 and costs 70: the cap leaves room for a few reservations at once.
        let cap = 60_000;
        let budget = BudgetSettings { tenant_micros_per_day: cap, ..BudgetSettings::default() };
        let (app, upstream) = priced(&store, budget).await;
        let asked: Vec<_> = (0..40).map(|n| {
            let visitor = app.owner.visitor(&format!("v{n}"));
            tokio::spawn(async move { ask(&visitor, json!({"message": QUESTION})).await })
        }).collect();
        let (mut degraded, mut most) = (0, 0);
        for task in asked {
            let stream = task.await.unwrap();
            assert_eq!(stream.finish()["finishReason"], "stop");
            assert!(stream.text().contains("Kafka"));
            degraded += usize::from(stream.degraded() == Some("budget"));
            let (reserved, spent) = today(&store).await;
            most = most.max(reserved + spent);
        }
        assert!(most <= i64::try_from(cap).unwrap(), "{most}");
        let (reserved, spent) = today(&store).await;
        assert_eq!(reserved, 0, "nothing stays reserved");
        assert_eq!(spent, i64::try_from(upstream.calls()).unwrap() * 70, "what was used is what was paid");
        assert_eq!(degraded + upstream.calls(), 40);
    }

    async fn a_visitor_over_the_daily_questions_still_gets_answers(store: TestStore) {
        let budget = BudgetSettings { visitor_questions_per_day: 2, ..BudgetSettings::default() };
        let (app, upstream) = priced(&store, budget).await;
        for n in 0..4 {
            let stream = ask(&app.visitor, json!({"message": QUESTION})).await;
            assert_eq!(stream.degraded(), (n >= 2).then_some("budget"));
            assert!(stream.text().contains("Kafka"));
        }
        assert_eq!(upstream.calls(), 2);
        let other = ask(&app.owner.visitor("bob"), json!({"message": QUESTION})).await;
        assert_eq!(other.degraded(), None, "each visitor has their own");
    }

    with (|builder| builder.manual_clock(3))
    async fn a_new_day_is_a_new_budget_but_the_same_month(store: TestStore) {
        let budget = BudgetSettings { visitor_questions_per_day: 1, ..BudgetSettings::default() };
        let (app, upstream) = priced(&store, budget).await;
        ask(&app.visitor, json!({"message": QUESTION})).await;
        assert_eq!(ask(&app.visitor, json!({"message": QUESTION})).await.degraded(), Some("budget"));
        store.clock().advance_ms(24 * 3_600_000);
        assert_eq!(ask(&app.visitor, json!({"message": QUESTION})).await.degraded(), None);
        let month: (i64,) = store.get("SELECT spent_micros FROM assistant_budgets WHERE length(period) = 7", owned![]).await.unwrap().unwrap();
        assert_eq!((month.0, upstream.calls()), (140, 2));
    }
}
