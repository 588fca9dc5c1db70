//! Scalars to and from PostgreSQL, in its binary format.

use crate::{Arg, Error, Result};
use bytes::BytesMut;
use postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

type BoxError = Box<dyn std::error::Error + Sync + Send>;

/// An argument on its way into a statement.
#[derive(Debug)]
pub(super) struct Bound<'a>(pub Arg<'a>);

/// Whether an argument may stand for a parameter of this type.
pub(super) fn fits(arg: &Arg<'_>, ty: &Type) -> bool {
    match arg {
        Arg::Null => true,
        Arg::Bool(_) => *ty == Type::BOOL,
        Arg::Int(_) => [Type::INT8, Type::INT4, Type::INT2].contains(ty),
        Arg::Real(_) => *ty == Type::FLOAT8,
        Arg::Text(_) => [Type::TEXT, Type::VARCHAR, Type::NAME, Type::UNKNOWN].contains(ty),
        Arg::Blob(_) => *ty == Type::BYTEA,
    }
}

impl ToSql for Bound<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        match self.0 {
            Arg::Null => Ok(IsNull::Yes),
            Arg::Bool(v) => v.to_sql(ty, out),
            Arg::Int(v) if *ty == Type::INT4 => i32::try_from(v)?.to_sql(ty, out),
            Arg::Int(v) if *ty == Type::INT2 => i16::try_from(v)?.to_sql(ty, out),
            Arg::Int(v) => v.to_sql(ty, out),
            Arg::Real(v) => v.to_sql(ty, out),
            Arg::Text(v) => v.to_sql(ty, out),
            Arg::Blob(v) => v.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true // checked with the value at hand, by `fits`
    }

    to_sql_checked!();
}

/// A column as it came over the wire.
struct Raw<'r>(Option<&'r [u8]>);

impl<'r> FromSql<'r> for Raw<'r> {
    fn from_sql(_: &Type, raw: &'r [u8]) -> Result<Self, BoxError> {
        Ok(Raw(Some(raw)))
    }

    fn from_sql_null(_: &Type) -> Result<Self, BoxError> {
        Ok(Raw(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A column of a row.
pub(crate) fn column(row: &postgres::Row, index: usize) -> Result<Arg<'_>> {
    let found = |what: &str| Error::Column { index, expected: "a column", found: what.to_owned() };
    let ty = row.columns().get(index).ok_or_else(|| found("no such column"))?.type_();
    let Raw(raw) = row.try_get(index).map_err(|error| found(&error.to_string()))?;
    let Some(raw) = raw else { return Ok(Arg::Null) };
    decode(ty, raw).ok_or_else(|| found(ty.name()))
}

fn decode<'r>(ty: &Type, raw: &'r [u8]) -> Option<Arg<'r>> {
    Some(match *ty {
        Type::BOOL => Arg::Bool(*raw.first()? != 0),
        Type::INT8 => Arg::Int(i64::from_be_bytes(raw.try_into().ok()?)),
        Type::INT4 => Arg::Int(i64::from(i32::from_be_bytes(raw.try_into().ok()?))),
        Type::INT2 => Arg::Int(i64::from(i16::from_be_bytes(raw.try_into().ok()?))),
        Type::FLOAT8 => Arg::Real(f64::from_be_bytes(raw.try_into().ok()?)),
        Type::TEXT | Type::VARCHAR | Type::NAME => Arg::Text(std::str::from_utf8(raw).ok()?),
        Type::BYTEA => Arg::Blob(raw),
        _ => return None,
    })
}
