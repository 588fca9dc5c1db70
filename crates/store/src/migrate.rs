//! Migrations: numbered per system, applied in order, never changed afterwards.
//!
//! One text serves both engines. For SQLite the types are translated, every table becomes `STRICT` (so that a wrong
//! type is refused there as it is on PostgreSQL), and storage parameters are dropped. Two comments steer it:
//! `-- only: sqlite` or `-- only: postgres` on the line before a statement, and `-- without-rowid` before a
//! `CREATE TABLE` whose rows are small and found by a composite key.

use crate::script::{self, Statement};
use crate::{Engine, Error, Result, Tx, args};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// One step of a system's schema. Append-only: a released migration is never edited, a mistake is mended by the next.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// 1, 2, 3 … without a gap.
    pub number: u32,
    /// For people: `add_archived_at`.
    pub name: &'static str,
    /// The statements, in the dialect that both engines share.
    pub sql: &'static str,
}

impl Migration {
    fn checksum(&self) -> String {
        hex(&Sha256::digest(self.sql.as_bytes()))
    }
}

/// Bytes as lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The key of the advisory lock under which PostgreSQL nodes migrate one after the other: "plinth" in ASCII.
const LOCK: &str = "SELECT pg_advisory_xact_lock(123607338350696)";

const BOOKKEEPING: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    system TEXT NOT NULL, number BIGINT NOT NULL, name TEXT NOT NULL, checksum TEXT NOT NULL,
    applied_at BIGINT NOT NULL, PRIMARY KEY (system, number))";

/// Applies what is missing of `set`, all of it or, when one fails, nothing.
pub(crate) fn apply(tx: &mut Tx<'_>, system: &str, set: &[Migration]) -> Result<u32> {
    check_numbers(system, set)?;
    if tx.engine() == Engine::Postgres {
        tx.script(LOCK)?;
        // A schema change may take its time, and waits for its table lock rather than failing.
        tx.script("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")?;
    }
    tx.script(&translate(BOOKKEEPING, tx.engine()))?;
    let applied = recorded(tx, system)?;
    let mut count = 0;
    for migration in set {
        match applied.get(&migration.number) {
            Some(checksum) if *checksum == migration.checksum() => {}
            Some(_) => {
                return Err(refused(
                    system,
                    migration.number,
                    "its text differs from the one that was applied; restore \
                    the released text and put the change into a new migration",
                ));
            }
            None => {
                run(tx, system, migration)?;
                count += 1;
            }
        }
    }
    Ok(count)
}

/// The highest migration applied for each system.
pub(crate) fn versions(tx: &mut Tx<'_>) -> Result<BTreeMap<String, u32>> {
    let rows: Vec<(String, u32)> =
        tx.all("SELECT system, max(number) FROM schema_migrations GROUP BY system ORDER BY system", args![])?;
    Ok(rows.into_iter().collect())
}

fn refused(system: &str, number: u32, reason: impl Into<String>) -> Error {
    Error::Migration { system: system.to_owned(), number, reason: reason.into() }
}

fn check_numbers(system: &str, set: &[Migration]) -> Result<()> {
    for (migration, expected) in set.iter().zip(1..) {
        if migration.number != expected {
            return Err(refused(
                system,
                migration.number,
                format!("out of order: number {expected} comes here"),
            ));
        }
    }
    Ok(())
}

fn recorded(tx: &mut Tx<'_>, system: &str) -> Result<BTreeMap<u32, String>> {
    let rows: Vec<(u32, String)> = tx.all(
        "SELECT number, checksum FROM schema_migrations WHERE system = $1 ORDER BY number",
        args![system],
    )?;
    Ok(rows.into_iter().collect())
}

fn run(tx: &mut Tx<'_>, system: &str, migration: &Migration) -> Result<()> {
    let text = translate(migration.sql, tx.engine());
    tx.script(&text).map_err(|error| refused(system, migration.number, error.to_string()))?;
    let now = tx.now();
    tx.exec(
        "INSERT INTO schema_migrations (system, number, name, checksum, applied_at) VALUES ($1, $2, $3, $4, $5)",
        args![system, migration.number, migration.name, &migration.checksum(), now],
    )?;
    tracing::info!(system, number = migration.number, name = migration.name, "migration applied");
    Ok(())
}

/// The text for one engine.
pub(crate) fn translate(sql: &str, engine: Engine) -> String {
    let mut out = String::with_capacity(sql.len() + 64);
    for statement in script::statements(sql) {
        if statement.only.is_some_and(|only| only != engine) {
            continue;
        }
        match engine {
            Engine::Postgres => out.push_str(statement.text),
            Engine::Sqlite => out.push_str(&for_sqlite(&statement)),
        }
        out.push_str(";\n");
    }
    out
}

fn for_sqlite(statement: &Statement<'_>) -> String {
    if statement.only == Some(Engine::Sqlite) && !script::is_create_table(statement.text) {
        return statement.text.to_owned(); // written in SQLite's own words
    }
    let mut text = script::map_words(statement.text, |word, next| match word {
        "BIGINT" | "BOOLEAN" | "INTEGER" | "SMALLINT" => Some(("INTEGER", false)),
        "BYTEA" => Some(("BLOB", false)),
        "DOUBLE" if next == Some("PRECISION") => Some(("REAL", true)),
        _ => None,
    });
    if script::is_create_table(&text) {
        text.truncate(script::end_of_columns(&text));
        text.push_str(if statement.without_rowid { " STRICT, WITHOUT ROWID" } else { " STRICT" });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lite(sql: &str) -> String {
        translate(sql, Engine::Sqlite).trim().to_owned()
    }

    #[test]
    fn types_are_translated_outside_of_literals_comments_and_names() {
        let sql = "CREATE TABLE t (a BIGINT NOT NULL, b boolean DEFAULT FALSE, c BYTEA, d DOUBLE PRECISION, \
                   \"BIGINT\" TEXT DEFAULT 'BYTEA', bigint_like TEXT) WITH (fillfactor = 10);";
        assert_eq!(
            lite(sql),
            "CREATE TABLE t (a INTEGER NOT NULL, b INTEGER DEFAULT FALSE, c BLOB, d REAL, \
             \"BIGINT\" TEXT DEFAULT 'BYTEA', bigint_like TEXT) STRICT;"
        );
    }

    #[test]
    fn comments_steer_engine_and_layout() {
        let sql = "-- without-rowid\nCREATE TABLE t (a TEXT, b TEXT, PRIMARY KEY (a, b));\n\
                   -- only: sqlite\nCREATE VIRTUAL TABLE f USING fts5(a);\n\
                   -- only: postgres\nCREATE INDEX g ON t USING gin (to_tsvector('simple', a));";
        assert_eq!(
            lite(sql),
            "CREATE TABLE t (a TEXT, b TEXT, PRIMARY KEY (a, b)) STRICT, WITHOUT ROWID;\n\
             CREATE VIRTUAL TABLE f USING fts5(a);"
        );
        let pg = translate(sql, Engine::Postgres);
        assert!(pg.contains("USING gin") && !pg.contains("fts5"));
    }

    #[test]
    fn a_trigger_with_several_statements_stays_whole() {
        let sql = "-- only: sqlite\nCREATE TRIGGER t1 AFTER INSERT ON t BEGIN UPDATE t SET a = CASE WHEN a THEN 1 END; \
                   DELETE FROM u; END;\nCREATE INDEX i ON t (a);";
        assert_eq!(script::statements(sql).count(), 2);
    }

    #[test]
    fn a_function_body_in_dollar_quotes_stays_whole() {
        let sql = "-- only: postgres\nCREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN x; END; $body$;";
        assert_eq!(script::statements(sql).count(), 1);
        assert_eq!(lite(sql), "");
    }

    proptest! {
        #[test]
        fn no_text_is_lost_or_invented_for_postgres(sql in "[ -~\n]{0,200}") {
            let kept: String = script::statements(&sql).map(|statement| statement.text).collect();
            prop_assert!(kept.len() <= sql.len());
            prop_assert!(translate(&sql, Engine::Postgres).len() <= sql.len() + 2 * (sql.len() + 1));
        }

        #[test]
        fn any_text_is_translated_without_a_panic(sql in "\\PC{0,200}") {
            let _ = (translate(&sql, Engine::Sqlite), translate(&sql, Engine::Postgres));
        }

        #[test]
        fn words_that_are_no_types_pass_unchanged(sql in "[a-z ,()'\"0-9]{0,80}") {
            prop_assert_eq!(script::map_words(&sql, |_, _| None), sql);
        }
    }

    #[test]
    fn altered_columns_are_translated_too() {
        assert_eq!(lite("ALTER TABLE t ADD COLUMN x BIGINT"), "ALTER TABLE t ADD COLUMN x INTEGER;");
    }
}
