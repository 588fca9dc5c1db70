//! Scalars to and from SQLite.

use crate::{Arg, Error, Result};
use rusqlite::types::{ToSqlOutput, ValueRef};

/// An argument on its way into a statement.
pub(super) struct Bound<'a>(pub Arg<'a>);

impl rusqlite::ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Arg::Null => ValueRef::Null,
            Arg::Bool(v) => ValueRef::Integer(i64::from(v)),
            Arg::Int(v) => ValueRef::Integer(v),
            Arg::Real(v) => ValueRef::Real(v),
            Arg::Text(v) => ValueRef::Text(v.as_bytes()),
            Arg::Blob(v) => ValueRef::Blob(v),
        }))
    }
}

/// Binds `$n` by its number. SQLite itself numbers `$name` by first appearance and reads an unbound one as `NULL`;
/// here a missing or a surplus argument is refused, as PostgreSQL does.
pub(super) fn bind(statement: &mut rusqlite::Statement<'_>, args: &[Arg<'_>]) -> Result<()> {
    let refuse = |why: String| Err(Error::Argument(why));
    let mut highest = 0;
    let count = statement.parameter_count();
    for index in 1..=count {
        let name = statement.parameter_name(index).unwrap_or("?");
        let Some(number) = name.strip_prefix('$').and_then(|digits| digits.parse::<usize>().ok()) else {
            return refuse(format!("placeholder {name} is not $1, $2 …"));
        };
        let Some(arg) = number.checked_sub(1).and_then(|at| args.get(at)) else {
            return refuse(format!("{} given, but the statement has ${number}", args.len()));
        };
        highest = highest.max(number);
        statement
            .raw_bind_parameter(index, Bound(*arg))
            .map_err(|error| Error::Argument(error.to_string()))?;
    }
    // Every number once: as many distinct placeholders as arguments, and none above.
    if count != args.len() || highest != args.len() {
        return refuse(format!("{} given, but the statement takes {count}", args.len()));
    }
    Ok(())
}

/// A column of a row.
pub(crate) fn column<'r>(row: &'r rusqlite::Row<'_>, index: usize) -> Result<Arg<'r>> {
    let found = |what: String| Error::Column { index, expected: "a column", found: what };
    Ok(match row.get_ref(index).map_err(|error| found(error.to_string()))? {
        ValueRef::Null => Arg::Null,
        ValueRef::Integer(v) => Arg::Int(v),
        ValueRef::Real(v) => Arg::Real(v),
        ValueRef::Text(v) => {
            Arg::Text(std::str::from_utf8(v).map_err(|_| found("TEXT that is not UTF-8".into()))?)
        }
        ValueRef::Blob(v) => Arg::Blob(v),
    })
}
