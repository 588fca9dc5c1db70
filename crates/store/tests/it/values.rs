//! What goes in comes out, of the same type, or is refused.

use crate::support::prepare;
use plinth_kernel::{Code, FormId, Id, Micros, Problem};
use plinth_store::{Arg, Error, Migration, OwnedArg, Store, args, owned};
use plinth_testkit::{Engine, TestStore, both_engines};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "scalars",
    sql: "CREATE TABLE scalars (tenant_id TEXT NOT NULL, id BIGINT NOT NULL, i BIGINT, b BOOLEAN, r DOUBLE PRECISION, t TEXT, x BYTEA,
          PRIMARY KEY (tenant_id, id));",
}];

type Scalars = (Option<i64>, Option<bool>, Option<f64>, Option<String>, Option<Vec<u8>>);

async fn round_trip(store: &Store, id: i64, values: Scalars) -> Scalars {
    store
        .write(move |tx| {
            let (i, b, r, t, x) = &values;
            tx.exec(
                "INSERT INTO scalars (tenant_id, id, i, b, r, t, x) VALUES ('t', $1, $2, $3, $4, $5, $6)",
                args![id, i, b, r, t, x],
            )?;
            tx.one("SELECT i, b, r, t, x FROM scalars WHERE tenant_id = 't' AND id = $1", args![id])
        })
        .await
        .map_err(|error: Error| panic!("{error:?}"))
        .unwrap()
}

fn any_scalar_comes_back(engine: Engine) {
    plinth_testkit::run(async {
        let store = TestStore::builder(engine).open().await;
        store.migrate("test", MIGRATIONS).await.unwrap();
        let texts = proptest::option::of("[^\0]{0,40}");
        let reals =
            proptest::option::of(any::<f64>().prop_filter("kept by both engines", |real| !real.is_nan()));
        let bytes = proptest::option::of(proptest::collection::vec(any::<u8>(), 0..40));
        let strategy = (any::<Option<i64>>(), any::<Option<bool>>(), reals, texts, bytes);
        let mut runner =
            TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
        for id in 0..64 {
            let values = strategy.new_tree(&mut runner).unwrap().current();
            assert_eq!(round_trip(&store, id, values.clone()).await, values);
        }
    });
}

#[test]
fn any_scalar_comes_back_from_sqlite() {
    any_scalar_comes_back(Engine::Sqlite);
}

#[test]
fn any_scalar_comes_back_from_postgres() {
    any_scalar_comes_back(Engine::Postgres);
}

proptest! {
    #[test]
    fn an_owned_argument_equals_the_one_it_was_made_of(i: i64, t: String, x: Vec<u8>, b: bool) {
        for arg in [Arg::Null, Arg::Int(i), Arg::Text(&t), Arg::Blob(&x), Arg::Bool(b)] {
            let owned = OwnedArg::from(arg);
            prop_assert_eq!(Arg::from(&owned), arg);
        }
    }
}

both_engines! {
    async fn a_column_is_read_as_its_own_type_only(store: TestStore) {
        store.migrate("test", MIGRATIONS).await.unwrap();
        round_trip(&store, 1, (Some(7), Some(true), Some(1.5), Some("7".into()), Some(vec![7]))).await;
        macro_rules! refused { ($($column:literal as $ty:ty),+ $(,)?) => { $(
            let read: Result<Option<$ty>, Error> =
                store.get(concat!("SELECT ", $column, " FROM scalars WHERE tenant_id = 't' AND id = 1"), owned![]).await;
            assert!(matches!(read, Err(Error::Column { .. })), "{} as {}: {read:?}", $column, stringify!($ty));
        )+ } }
        refused!(
            "i" as String, "i" as f64, "i" as bool, "i" as Vec<u8>, "r" as i64, "t" as i64, "t" as Vec<u8>,
            "x" as String, "t" as FormId, "t" as f64, "b" as String, "i, b" as i64, "i" as (i64, i64),
        );
        let null: Result<Option<i64>, Error> =
            store.get("SELECT CAST(NULL AS BIGINT) FROM scalars", owned![]).await;
        assert!(matches!(null, Err(Error::Column { .. })), "{null:?}");
        let narrow: Option<u16> = store.get("SELECT i FROM scalars", owned![]).await.unwrap();
        assert_eq!(narrow, Some(7));
    }

    async fn a_column_takes_its_own_type_only(store: TestStore) {
        store.migrate("test", MIGRATIONS).await.unwrap();
        round_trip(&store, 1, (None, None, None, None, None)).await;
        macro_rules! refused { ($($column:literal = $value:expr),+ $(,)?) => { $(
            let written: Result<u64, Error> =
                store.write(|tx| tx.exec(concat!("UPDATE scalars SET ", $column, " = $1"), args![$value])).await;
            assert!(
                matches!(written, Err(Error::Argument(_) | Error::Check { .. })),
                "{} = {}: {written:?}", $column, stringify!($value),
            );
        )+ } }
        refused!("i" = "text", "i" = 1.5_f64, "r" = "x", "x" = "text", "t" = &[1_u8, 2][..]);
    }

    async fn arguments_that_do_not_fit_their_statement_are_refused(store: TestStore) {
        prepare(&store).await;
        for args in [owned![], owned![1_i64], owned![1_i64, "b", "surplus"]] {
            let read: Result<Option<i64>, Error> =
                store.get("SELECT id FROM things WHERE id = $1 AND name = $2", args).await;
            assert!(matches!(read, Err(Error::Argument(_))), "{read:?}");
        }
        let swapped: Option<String> = store
            .get("SELECT CAST($2 AS TEXT) || CAST($1 AS TEXT) || CAST($2 AS TEXT)", owned!["a", "b"])
            .await
            .unwrap();
        assert_eq!(swapped.as_deref(), Some("bab"), "placeholders count by number, not by place");
    }

    async fn what_one_engine_could_not_keep_is_refused_by_both(store: TestStore) {
        store.migrate("test", MIGRATIONS).await.unwrap();
        let nul: Result<Option<String>, Error> = store.get("SELECT CAST($1 AS TEXT)", owned!["a\0b"]).await;
        assert!(matches!(nul, Err(Error::NulInText)), "{nul:?}");
        assert_eq!(Problem::from(nul.unwrap_err()).code, Code::ValidationFailed);
        let nan: Result<u64, Error> = store.write(|tx| tx.exec("UPDATE scalars SET r = $1", args![f64::NAN])).await;
        assert!(matches!(nan, Err(Error::Argument(_))), "{nan:?}");
    }

    async fn ids_instants_and_json_are_columns_too(store: TestStore) {
        let id = FormId::from_uuid([9; 16]);
        let at = Micros(1_767_225_600_000_001);
        let row: Option<(FormId, Micros, serde_json::Value, Option<FormId>)> = store
            .get(
                "SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS TEXT)",
                owned![&id, at, r#"{"a":[1]}"#, None::<&FormId>],
            )
            .await
            .unwrap();
        assert_eq!(row, Some((id, at, serde_json::json!({"a": [1]}), None)));
    }

    async fn a_struct_is_read_by_the_order_of_its_fields(store: TestStore) {
        #[derive(Debug, PartialEq)]
        struct Pair { left: i64, right: String }
        plinth_store::row!(Pair { left, right });
        let pair: Option<Pair> = store.get("SELECT CAST(1 AS BIGINT), CAST('r' AS TEXT)", owned![]).await.unwrap();
        assert_eq!(pair, Some(Pair { left: 1, right: "r".into() }));
        let surplus: Result<Option<Pair>, Error> =
            store.get("SELECT CAST(1 AS BIGINT), CAST('r' AS TEXT), CAST(2 AS BIGINT)", owned![]).await;
        assert!(matches!(surplus, Err(Error::Column { .. })), "{surplus:?}");
    }

    async fn more_rows_than_the_limit_are_an_error_not_a_cut(store: TestStore) {
        const MANY: &str = "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < 10001) SELECT i FROM n";
        let all: Result<Vec<i64>, Error> = store.list(MANY, owned![]).await;
        assert!(matches!(all, Err(Error::TooManyRows { max: 10_000 })), "{:?}", all.map(|rows| rows.len()));
        let first: Option<i64> = store.get(MANY, owned![]).await.unwrap();
        assert_eq!(first, Some(1));
    }
}
