//! Scalars in and out of SQL: one type for both engines.

use crate::{Error, Result};
use plinth_kernel::{Id, Micros};

/// A scalar of SQL, borrowed: what a statement is given and what a column holds.
///
/// There are six, because these six mean the same on both engines: money is `Int` in minor units, an instant is
/// `Int` in microseconds, JSON and ids are `Text`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Arg<'a> {
    /// `NULL`.
    Null,
    /// `BOOLEAN`; SQLite keeps it as 0 or 1.
    Bool(bool),
    /// `BIGINT`.
    Int(i64),
    /// `DOUBLE PRECISION`.
    Real(f64),
    /// `TEXT`.
    Text(&'a str),
    /// `BYTEA`; SQLite calls it `BLOB`.
    Blob(&'a [u8]),
}

impl Arg<'_> {
    /// The SQL name of its type, for error messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Arg::Null => "NULL",
            Arg::Bool(_) => "BOOLEAN",
            Arg::Int(_) => "BIGINT",
            Arg::Real(_) => "DOUBLE PRECISION",
            Arg::Text(_) => "TEXT",
            Arg::Blob(_) => "BYTEA",
        }
    }
}

/// A scalar that owns its bytes, for statements that run on another thread. Made by [`owned!`](crate::owned).
#[derive(Debug, Clone, PartialEq)]
pub enum OwnedArg {
    /// `NULL`.
    Null,
    /// `BOOLEAN`.
    Bool(bool),
    /// `BIGINT`.
    Int(i64),
    /// `DOUBLE PRECISION`.
    Real(f64),
    /// `TEXT`.
    Text(String),
    /// `BYTEA`.
    Blob(Vec<u8>),
}

impl From<Arg<'_>> for OwnedArg {
    fn from(value: Arg<'_>) -> Self {
        match value {
            Arg::Null => OwnedArg::Null,
            Arg::Bool(v) => OwnedArg::Bool(v),
            Arg::Int(v) => OwnedArg::Int(v),
            Arg::Real(v) => OwnedArg::Real(v),
            Arg::Text(v) => OwnedArg::Text(v.to_owned()),
            Arg::Blob(v) => OwnedArg::Blob(v.to_owned()),
        }
    }
}

impl<'a> From<&'a OwnedArg> for Arg<'a> {
    fn from(value: &'a OwnedArg) -> Self {
        match value {
            OwnedArg::Null => Arg::Null,
            OwnedArg::Bool(v) => Arg::Bool(*v),
            OwnedArg::Int(v) => Arg::Int(*v),
            OwnedArg::Real(v) => Arg::Real(*v),
            OwnedArg::Text(v) => Arg::Text(v),
            OwnedArg::Blob(v) => Arg::Blob(v),
        }
    }
}

macro_rules! arg_from_copy {
    ($($ty:ty => |$v:ident| $arg:expr;)+) => { $(
        impl From<$ty> for Arg<'_> { fn from($v: $ty) -> Self { $arg } }
        impl From<&$ty> for Arg<'_> { fn from(v: &$ty) -> Self { let $v = *v; $arg } }
    )+ };
}

arg_from_copy! {
    i64 => |v| Arg::Int(v);
    i32 => |v| Arg::Int(i64::from(v));
    u32 => |v| Arg::Int(i64::from(v));
    u16 => |v| Arg::Int(i64::from(v));
    bool => |v| Arg::Bool(v);
    f64 => |v| Arg::Real(v);
    Micros => |v| Arg::Int(v.0);
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(v: &'a str) -> Self {
        Arg::Text(v)
    }
}
impl<'a> From<&'a &str> for Arg<'a> {
    fn from(v: &'a &str) -> Self {
        Arg::Text(v)
    }
}
impl<'a> From<&'a String> for Arg<'a> {
    fn from(v: &'a String) -> Self {
        Arg::Text(v)
    }
}
impl<'a> From<&'a std::borrow::Cow<'_, str>> for Arg<'a> {
    fn from(v: &'a std::borrow::Cow<'_, str>) -> Self {
        Arg::Text(v)
    }
}
impl<'a> From<&'a [u8]> for Arg<'a> {
    fn from(v: &'a [u8]) -> Self {
        Arg::Blob(v)
    }
}
impl<'a> From<&'a Vec<u8>> for Arg<'a> {
    fn from(v: &'a Vec<u8>) -> Self {
        Arg::Blob(v)
    }
}
impl<'a, const N: usize> From<&'a [u8; N]> for Arg<'a> {
    fn from(v: &'a [u8; N]) -> Self {
        Arg::Blob(v)
    }
}
impl<'a, T: Into<Arg<'a>>> From<Option<T>> for Arg<'a> {
    fn from(v: Option<T>) -> Self {
        v.map_or(Arg::Null, Into::into)
    }
}
/// Optional fields by reference. One by one: a blanket implementation would send type inference in circles.
macro_rules! arg_from_option {
    ($($ty:ty),+ $(,)?) => { $(
        impl<'a> From<&'a Option<$ty>> for Arg<'a> {
            fn from(v: &'a Option<$ty>) -> Self { v.as_ref().map_or(Arg::Null, Arg::from) }
        }
    )+ };
}
arg_from_option!(String, Vec<u8>, Micros, i64, i32, u32, bool, f64);

/// Lists every kind of id once: the orphan rule forbids one blanket implementation over `T: Id`.
macro_rules! ids {
    ($($name:ident),+ $(,)?) => { $(
        impl<'a> From<&'a plinth_kernel::$name> for Arg<'a> {
            fn from(v: &'a plinth_kernel::$name) -> Self { Arg::Text(v.as_str()) }
        }
        arg_from_option!(plinth_kernel::$name);
        impl FromCol for plinth_kernel::$name {
            fn from_col(value: Arg<'_>) -> Option<Self> {
                match value { Arg::Text(v) => Self::parse(v).ok(), _ => None }
            }
        }
    )+ };
}

ids!(
    AttemptId,
    AuditId,
    ConversationId,
    EventId,
    FormId,
    FormVersionId,
    InboxItemId,
    InviteId,
    IssuerId,
    JobId,
    KeyId,
    MailId,
    MemberId,
    MessageId,
    NotificationId,
    OrganisationId,
    RequestId,
    RunId,
    ScheduleId,
    SessionId,
    SigningKeyId,
    SourceId,
    SubmissionId,
    TenantId,
    WorkflowId,
);

/// The arguments of a statement, borrowed: `args![&tenant, &id, now, title.as_deref()]`.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => { &[$($crate::Arg::from($value)),*][..] };
}

/// The arguments of a statement, owned, for [`Store::get`](crate::Store::get) and
/// [`Store::list`](crate::Store::list): `owned![&tenant, &id]`.
#[macro_export]
macro_rules! owned {
    ($($value:expr),* $(,)?) => {
        <[_]>::into_vec(::std::boxed::Box::<[$crate::OwnedArg]>::from([$($crate::OwnedArg::from($crate::Arg::from($value))),*]))
    };
}

/// The text of a statement: one for both engines, or one for each where their dialects part.
///
/// The text is a constant of the program. Nothing that a caller sends can become SQL; a list of values travels
/// as one JSON argument, and an optional filter is written `(CAST($2 AS TEXT) IS NULL OR kind = $2)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sql {
    /// For SQLite.
    pub lite: &'static str,
    /// For PostgreSQL.
    pub pg: &'static str,
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self { lite: text, pg: text }
    }
}

/// A statement that reads differently on the two engines: `sql!(lite: "…", pg: "…")`.
#[macro_export]
macro_rules! sql {
    (lite: $lite:expr, pg: $pg:expr $(,)?) => {
        $crate::Sql { lite: $lite, pg: $pg }
    };
}

/// One row of a result.
pub struct Row<'r>(pub(crate) RowKind<'r>);

/// Whose row it is.
pub(crate) enum RowKind<'r> {
    Lite { row: &'r rusqlite::Row<'r>, columns: usize },
    Pg(&'r postgres::Row),
}

impl Row<'_> {
    /// The value of column `index`, from 0. Strict: another type, or `NULL` where none is expected, is
    /// [`Error::Column`], never a conversion.
    pub fn get<T: FromCol>(&self, index: usize) -> Result<T> {
        let value = match &self.0 {
            RowKind::Lite { row, .. } => crate::sqlite::value::column(row, index)?,
            RowKind::Pg(row) => crate::postgres::value::column(row, index)?,
        };
        T::from_col(value).ok_or_else(|| Error::Column {
            index,
            expected: std::any::type_name::<T>(),
            found: value.kind().to_owned(),
        })
    }

    /// How many columns it has.
    #[must_use]
    pub fn columns(&self) -> usize {
        match &self.0 {
            RowKind::Lite { columns, .. } => *columns,
            RowKind::Pg(row) => row.len(),
        }
    }
}

/// A type that a column can be read as.
pub trait FromCol: Sized {
    /// `None` when the value is of another type or not one of the type's values.
    fn from_col(value: Arg<'_>) -> Option<Self>;
}

impl FromCol for i64 {
    fn from_col(value: Arg<'_>) -> Option<Self> {
        match value {
            Arg::Int(v) => Some(v),
            _ => None,
        }
    }
}

macro_rules! narrow_int {
    ($($ty:ty),+) => { $(
        impl FromCol for $ty {
            fn from_col(value: Arg<'_>) -> Option<Self> { <$ty>::try_from(i64::from_col(value)?).ok() }
        }
    )+ };
}
narrow_int!(i32, u32, u16);

impl FromCol for bool {
    fn from_col(value: Arg<'_>) -> Option<Self> {
        match value {
            Arg::Bool(v) => Some(v),
            // SQLite has no boolean: 0 and 1 are the two it writes for one.
            Arg::Int(0) => Some(false),
            Arg::Int(1) => Some(true),
            _ => None,
        }
    }
}

impl FromCol for f64 {
    fn from_col(value: Arg<'_>) -> Option<Self> {
        match value {
            Arg::Real(v) => Some(v),
            _ => None,
        }
    }
}

impl FromCol for String {
    fn from_col(value: Arg<'_>) -> Option<Self> {
        match value {
            Arg::Text(v) => Some(v.to_owned()),
            _ => None,
        }
    }
}

impl FromCol for Vec<u8> {
    fn from_col(value: Arg<'_>) -> Option<Self> {
        match value {
            Arg::Blob(v) => Some(v.to_owned()),
            _ => None,
        }
    }
}

impl FromCol for Micros {
    fn from_col(value: Arg<'_>) -> Option<Self> {
        i64::from_col(value).map(Micros)
    }
}

impl FromCol for serde_json::Value {
    fn from_col(value: Arg<'_>) -> Option<Self> {
        match value {
            Arg::Text(v) => serde_json::from_str(v).ok(),
            _ => None,
        }
    }
}

impl<T: FromCol> FromCol for Option<T> {
    fn from_col(value: Arg<'_>) -> Option<Self> {
        match value {
            Arg::Null => Some(None),
            value => T::from_col(value).map(Some),
        }
    }
}

/// A type that a row can be read as: any [`FromCol`] for a single column, a tuple of up to 16, or a struct through
/// [`row!`](crate::row) or by hand. The number of columns must be exactly the one that is read.
pub trait FromRow: Sized {
    /// Reads the row.
    fn from_row(row: &Row<'_>) -> Result<Self>;
}

/// Refuses a row that has other than `expected` columns: a statement and its reader that drifted apart.
pub fn expect_columns(row: &Row<'_>, expected: usize) -> Result<()> {
    if row.columns() == expected {
        return Ok(());
    }
    Err(Error::Column {
        index: expected,
        expected: "as many columns as are read",
        found: format!("{} columns", row.columns()),
    })
}

impl<T: FromCol> FromRow for T {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        expect_columns(row, 1)?;
        row.get(0)
    }
}

macro_rules! tuple {
    ($count:literal: $($ty:ident $index:tt),+) => {
        impl<$($ty: FromCol),+> FromRow for ($($ty,)+) {
            fn from_row(row: &Row<'_>) -> Result<Self> {
                expect_columns(row, $count)?;
                Ok(($(row.get::<$ty>($index)?,)+))
            }
        }
    };
}
tuple!(1: A 0);
tuple!(2: A 0, B 1);
tuple!(3: A 0, B 1, C 2);
tuple!(4: A 0, B 1, C 2, D 3);
tuple!(5: A 0, B 1, C 2, D 3, E 4);
tuple!(6: A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(7: A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(8: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
tuple!(9: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
tuple!(10: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
tuple!(11: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
tuple!(12: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);
tuple!(13: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12);
tuple!(14: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13);
tuple!(15: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14);
tuple!(16: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14, P 15);

/// Reads a struct from a row whose columns are its fields in this order: `row!(Form { id, title, version });`.
#[macro_export]
macro_rules! row {
    ($name:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::FromRow for $name {
            fn from_row(row: &$crate::Row<'_>) -> $crate::Result<Self> {
                let mut columns = 0..;
                let value = Self { $($field: row.get(columns.next().unwrap_or_default())?),+ };
                $crate::expect_columns(row, columns.start)?;
                Ok(value)
            }
        }
    };
}
