//! Idempotent commands.

use axum::{Router, extract::State, response::Response, routing::post};
use http::{Method, StatusCode};
use plinth_api::{ApiResult, Command, Reply, migrations::MIGRATIONS, sweep, testing::Caller};
use plinth_kernel::{Code, Problem};
use plinth_store::{Migration, Store, args, owned};
use plinth_testkit::{TestStore, both_engines};
use serde::Deserialize;
use serde_json::json;

pub const TABLES: &[Migration] = &[Migration {
    number: 1,
    name: "orders",
    sql: "CREATE TABLE test_order (tenant_id TEXT NOT NULL, id TEXT NOT NULL, item TEXT NOT NULL, PRIMARY KEY (tenant_id, id));",
}];

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    item: String,
}

async fn order(State(store): State<Store>, command: Command<Order>) -> ApiResult<Response> {
    command
        .run(&store, |tx, ctx, input| {
            let id = tx.id::<plinth_kernel::JobId>();
            tx.exec(
                "INSERT INTO test_order (tenant_id, id, item) VALUES ($1, $2, $3)",
                args![ctx.tenant(), &id, &input.item],
            )?;
            match input.item.as_str() {
                "unsold" => Err(Problem::new(Code::StateConflict, "Not for sale.")),
                "secret" => Ok(Reply::ok(&json!({"secret": "plk_live_canary"}))?.sealed()),
                "broken" => Err(Problem::internal("the warehouse is on fire")),
                _ => Reply::created(&format!("/orders/{id}"), &json!({"id": id, "item": input.item})),
            }
        })
        .await
}

async fn shop(store: &TestStore) -> Caller {
    store.migrate("api", MIGRATIONS).await.unwrap();
    store.migrate("test", TABLES).await.unwrap();
    let router = Router::new().route("/orders", post(order)).with_state((**store).clone());
    Caller::secret_key(router, store.world())
}

async fn orders(store: &Store) -> i64 {
    let row: Option<(i64,)> = store.get("SELECT COUNT(*) FROM test_order", owned![]).await.unwrap();
    row.unwrap().0
}

both_engines! {
    async fn parallel_calls_with_one_key_make_one_effect_and_equal_answers(store: TestStore) {
        let shop = shop(&store).await;
        let calls: Vec<_> = (0..64)
            .map(|_| {
                let shop = shop.clone();
                tokio::spawn(async move {
                    shop.json(Method::POST, "/orders", &[("idempotency-key", "k1")], &json!({"item": "tea"})).await
                })
            })
            .collect();
        let mut bodies = Vec::new();
        let mut fresh = 0;
        for call in calls {
            let answer = call.await.unwrap();
            assert_eq!(answer.status, StatusCode::CREATED, "{:?}", answer.json());
            assert!(answer.header("location").starts_with("/orders/"));
            fresh += i32::from(answer.header("idempotency-replayed").is_empty());
            bodies.push(answer.body);
        }
        bodies.dedup();
        assert_eq!(bodies.len(), 1, "64 equal answers");
        assert_eq!(fresh, 1, "one of them is the first");
        assert_eq!(orders(&store).await, 1);
    }

    async fn a_key_with_another_body_is_refused_and_changes_nothing(store: TestStore) {
        let shop = shop(&store).await;
        let key = [("idempotency-key", "k1")];
        shop.json(Method::POST, "/orders", &key, &json!({"item": "tea"})).await;
        let answer = shop.json(Method::POST, "/orders", &key, &json!({"item": "coffee"})).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (422, "idempotency_key_reused"));
        assert_eq!(orders(&store).await, 1);
    }

    async fn the_same_key_of_another_tenant_is_another_key(store: TestStore) {
        let shop = shop(&store).await;
        let key = [("idempotency-key", "k1")];
        let ours = shop.json(Method::POST, "/orders", &key, &json!({"item": "tea"})).await;
        let theirs = shop.stranger().json(Method::POST, "/orders", &key, &json!({"item": "tea"})).await;
        assert_ne!(ours.json()["id"], theirs.json()["id"]);
        assert_eq!(theirs.header("idempotency-replayed"), "");
    }

    async fn a_refusal_by_the_domain_is_kept_but_its_effect_is_not(store: TestStore) {
        let shop = shop(&store).await;
        let key = [("idempotency-key", "k1")];
        for replayed in ["", "true"] {
            let answer = shop.json(Method::POST, "/orders", &key, &json!({"item": "unsold"})).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (409, "state_conflict"));
            assert_eq!(answer.header("idempotency-replayed"), replayed);
        }
        assert_eq!(orders(&store).await, 0);
    }

    async fn a_fault_of_ours_is_not_kept_so_that_a_retry_can_succeed(store: TestStore) {
        let shop = shop(&store).await;
        let key = [("idempotency-key", "k1")];
        for _ in 0..2 {
            let answer = shop.json(Method::POST, "/orders", &key, &json!({"item": "broken"})).await;
            assert_eq!((answer.status.as_u16(), answer.header("idempotency-replayed")), (500, ""));
            assert!(!String::from_utf8_lossy(&answer.body).contains("warehouse"));
        }
        let rows: Option<(i64,)> = store.get("SELECT COUNT(*) FROM api_idempotency", owned![]).await.unwrap();
        assert_eq!((orders(&store).await, rows), (0, Some((0,))));
    }

    async fn without_a_key_every_call_counts(store: TestStore) {
        let shop = shop(&store).await;
        for _ in 0..3 {
            assert_eq!(shop.json(Method::POST, "/orders", &[], &json!({"item": "tea"})).await.status, 201);
        }
        assert_eq!(orders(&store).await, 3);
    }

    with (|builder| builder.manual_clock(1))
    async fn an_answer_is_forgotten_after_its_time_and_swept_in_batches(store: TestStore) {
        let shop = shop(&store).await;
        let clock = store.clock();
        let key = [("idempotency-key", "k1")];
        shop.json(Method::POST, "/orders", &key, &json!({"item": "tea"})).await;
        clock.advance_ms(24 * 3_600_000 + 1_000);
        let again = shop.json(Method::POST, "/orders", &key, &json!({"item": "tea"})).await;
        assert_eq!(again.header("idempotency-replayed"), "", "past its time even before the sweep");
        for n in 0..5 {
            clock.advance_ms(1);
            let key = format!("s{n}");
            shop.json(Method::POST, "/orders", &[("idempotency-key", &key)], &json!({"item": "tea"})).await;
        }
        clock.advance_ms(25 * 3_600_000);
        let removed = sweep::idempotency(&store, store.world().now().plus_ms(-24 * 3_600_000)).await.unwrap();
        assert_eq!(removed, 6);
        let rows: Option<(i64,)> = store.get("SELECT COUNT(*) FROM api_idempotency", owned![]).await.unwrap();
        assert_eq!(rows, Some((0,)));
    }

    async fn a_secret_is_answered_again_but_stands_nowhere_in_clear(store: TestStore) {
        let mut shop = shop(&store).await;
        store.migrate(plinth_identity::SYSTEM, plinth_identity::MIGRATIONS).await.unwrap();
        let config = plinth_identity::Config {
            scopes: plinth_identity::ScopeCatalogue::new(Vec::<String>::new()).unwrap(),
            master_key: plinth_identity::vault::MasterKey::generate(store.world()),
            issuer: "http://localhost".into(),
            newest_version: plinth_kernel::ApiVersion::new(2026, 11, 1),
            trusted_origins: Vec::new(),
            jwks: std::sync::Arc::new(plinth_identity::NoJwks),
            allow_plain_jwks: false,
        };
        let identity = plinth_identity::Identity::open(store.clone(), config).await.unwrap();
        shop.sealer = plinth_api::Sealer::new(identity);
        let key = [("idempotency-key", "k1")];
        for replayed in ["", "true"] {
            let answer = shop.json(Method::POST, "/orders", &key, &json!({"item": "secret"})).await;
            assert_eq!((answer.json()["secret"].as_str(), answer.header("idempotency-replayed")), (Some("plk_live_canary"), replayed));
        }
        let mut other = shop.clone();
        other.principal.actor = plinth_kernel::Actor::Member(store.world().id());
        let answer = other.json(Method::POST, "/orders", &key, &json!({"item": "secret"})).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (422, "idempotency_key_reused"), "it is not theirs");
        let stored: Option<(Vec<u8>,)> = store.get("SELECT body FROM api_idempotency", owned![]).await.unwrap();
        assert!(!String::from_utf8_lossy(&stored.unwrap().0).contains("canary"));
    }

    async fn bad_input_is_told_precisely_and_changes_nothing(store: TestStore) {
        let shop = shop(&store).await;
        let cases: [(&[u8], u16, &str); 5] = [
            (b"{", 400, "invalid_json"),
            (b"{\"item\":1}", 422, "validation_failed"),
            (b"{\"item\":\"a\",\"x\":1}", 400, "unknown_field"),
            (b"{\"item\":\"a\",\"item\":\"b\"}", 400, "invalid_json"),
            (b"{\"item\":\"\xff\"}", 400, "invalid_json"),
        ];
        for (body, status, code) in cases {
            let answer = shop.send(Method::POST, "/orders", &[], body.to_vec()).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code));
        }
        assert_eq!(orders(&store).await, 0);
    }
}
