//! Lists: keyset pages with opaque, signed cursors.
//!
//! A cursor is base64url of `1 | binding (8 bytes) | signature (8 bytes) | sort key`. The binding is a hash of tenant,
//! operation, order and filter, so that a cursor cannot be used for another list; the signature is a truncated
//! HMAC-SHA256, enough to make guessing pointless where the worst a forger gains is a different page of their own
//! data.

use crate::{context::RequestContext, limits, problem::ApiError};
use axum::extract::FromRequestParts;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use http::request::Parts;
use plinth_kernel::{Code, FieldError, Problem};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, sync::Arc};
use subtle::ConstantTimeEq;

const CURSOR_VERSION: u8 = 1;
const PREFIX_BYTES: usize = 1 + 8 + 8;

/// Direction of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Oldest first.
    Asc,
    /// Newest first.
    #[default]
    Desc,
}

/// The parameters that every list takes, for the OpenAPI document.
#[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub struct PageParams {
    /// Most entries to return.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[param(max_length = 512)]
    cursor: Option<String>,
    /// `desc` gives the newest first.
    #[param(schema_with = order_schema)]
    order: Option<Order>,
}

fn order_schema() -> utoipa::openapi::schema::Object {
    utoipa::openapi::ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::String)
        .enum_values(Some(["asc", "desc"]))
        .default(Some("desc".into()))
        .build()
}

/// For lists without filters.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoFilter {}

/// A page that was asked for, with the list's own filter.
#[derive(Debug)]
pub struct List<F = NoFilter> {
    /// Most entries to return.
    pub limit: u32,
    /// The sort key of the last entry of the page before.
    pub after: Option<String>,
    /// Direction.
    pub order: Order,
    /// The list's own filter.
    pub filter: F,
    binding: [u8; 8],
    context: Arc<RequestContext>,
}

/// A page, as every list answers it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ListBody<T> {
    /// Always `list`.
    #[schema(example = "list")]
    pub object: &'static str,
    /// The entries.
    pub data: Vec<T>,
    /// Whether there are more.
    pub has_more: bool,
    /// Where they begin.
    pub next_cursor: Option<String>,
}

impl<F> List<F> {
    /// How many rows to fetch: one more than the page holds tells whether there are more.
    fn fetch(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// For the statement that reads the page.
    #[must_use]
    pub fn keyset(&self) -> Keyset {
        Keyset::new(self.after.clone(), self.order == Order::Desc, self.fetch())
    }

    /// Turns the rows of [`Self::keyset`] into a page; `key` gives a row's sort key.
    #[must_use]
    pub fn page<T>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> String) -> ListBody<T> {
        let limit = self.limit as usize;
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = if has_more {
            rows.last().map(|row| seal(&self.context.cursor_key, self.binding, &key(row)))
        } else {
            None
        };
        ListBody { object: "list", data: rows, has_more, next_cursor }
    }
}

/// Where a page begins, for a statement: see [`keyset_sql!`](crate::keyset_sql).
#[derive(Debug, Clone)]
pub struct Keyset {
    /// The sort key after which the page begins; an end of the id space for the first page.
    pub after: String,
    /// Newest first.
    pub descending: bool,
    /// Rows to fetch.
    pub fetch: i64,
}

impl Keyset {
    /// A page from the beginning.
    #[must_use]
    pub fn first(descending: bool, fetch: i64) -> Self {
        Self::new(None, descending, fetch)
    }

    /// A page after `after`.
    #[must_use]
    pub fn new(after: Option<String>, descending: bool, fetch: i64) -> Self {
        // Beyond every id in every collation: prefixes have at most four letters, and none is `zzzz`.
        let open_end = if descending { "zzzz" } else { "" };
        Self { after: after.unwrap_or_else(|| open_end.to_owned()), descending, fetch }
    }
}

/// A keyset statement in the direction of `$keyset`, ordered by the column `id`: `$head` must end in a WHERE clause,
/// `$after` and `$limit` are the placeholders of [`Keyset::after`] and [`Keyset::fetch`].
#[macro_export]
macro_rules! keyset_sql {
    ($keyset:expr, $head:expr, $after:literal, $limit:literal) => {
        if $keyset.descending {
            concat!($head, " AND id < ", $after, " ORDER BY id DESC LIMIT ", $limit)
        } else {
            concat!($head, " AND id > ", $after, " ORDER BY id ASC LIMIT ", $limit)
        }
    };
}

fn sign(key: &[u8; 32], binding: [u8; 8], sort_key: &str) -> [u8; 8] {
    let mut out = [0; 8];
    // HMAC takes keys of any length, so this cannot fail; were it to, the signature would match nothing.
    if let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(key) {
        mac.update(&binding);
        mac.update(sort_key.as_bytes());
        out.copy_from_slice(&mac.finalize().into_bytes()[..8]);
    }
    out
}

fn seal(key: &[u8; 32], binding: [u8; 8], sort_key: &str) -> String {
    let mut raw = Vec::with_capacity(PREFIX_BYTES + sort_key.len());
    raw.push(CURSOR_VERSION);
    raw.extend_from_slice(&binding);
    raw.extend_from_slice(&sign(key, binding, sort_key));
    raw.extend_from_slice(sort_key.as_bytes());
    URL_SAFE_NO_PAD.encode(raw)
}

fn open(key: &[u8; 32], binding: [u8; 8], cursor: &str) -> Option<String> {
    if cursor.len() > limits::CURSOR_MAX_CHARS {
        return None;
    }
    let raw = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    if raw.len() < PREFIX_BYTES || raw[0] != CURSOR_VERSION || raw[1..9] != binding {
        return None;
    }
    let sort_key = std::str::from_utf8(&raw[PREFIX_BYTES..]).ok()?;
    let genuine: bool = raw[9..17].ct_eq(&sign(key, binding, sort_key)).into();
    genuine.then(|| sort_key.to_owned())
}

fn bind(context: &RequestContext, order: Order, filter: &[(String, String)]) -> [u8; 8] {
    let mut filter: Vec<_> = filter.to_vec();
    filter.sort();
    let mut hash = Sha256::new();
    for part in [
        context.tenant().as_ref(),
        context.operation.id.as_str(),
        if order == Order::Asc { "asc" } else { "desc" },
    ] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    for (name, value) in &filter {
        hash.update((name.len() as u64).to_be_bytes());
        hash.update(name);
        hash.update((value.len() as u64).to_be_bytes());
        hash.update(value);
    }
    let mut out = [0; 8];
    out.copy_from_slice(&hash.finalize()[..8]);
    out
}

fn bad(name: &str, code: &str, detail: String) -> Problem {
    Problem::new(Code::InvalidParameter, detail.clone()).field(FieldError::parameter(name, code, detail))
}

/// Splits the query string into pairs; refuses what is too much, repeated or not UTF-8.
pub(crate) fn pairs(query: &str) -> Result<Vec<(String, String)>, Problem> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query)
        .map_err(|_| Problem::new(Code::InvalidParameter, "The query string is not well-formed."))?;
    if pairs.len() > limits::QUERY_PARAMETERS_MAX {
        return Err(Problem::new(Code::InvalidParameter, "Too many query parameters."));
    }
    let mut seen = BTreeMap::new();
    for (name, value) in &pairs {
        if value.len() > limits::QUERY_VALUE_MAX_BYTES || value.contains('\0') || value.contains('\u{fffd}') {
            return Err(bad(
                name,
                "invalid_value",
                format!("The value of `{name}` is too long or not valid text."),
            ));
        }
        if seen.insert(name.clone(), ()).is_some() {
            return Err(bad(name, "repeated", format!("The parameter `{name}` occurs twice.")));
        }
    }
    Ok(pairs)
}

/// Reads the pairs as the list's own filter.
pub(crate) fn filter<F: DeserializeOwned>(pairs: &[(String, String)]) -> Result<F, Problem> {
    let encoded = serde_urlencoded::to_string(pairs).map_err(Problem::internal)?;
    let reader = serde_urlencoded::Deserializer::new(form_pairs(&encoded));
    serde_path_to_error::deserialize(reader).map_err(|error| {
        let message = error.inner().to_string();
        let quoted = message.split('`').nth(1).unwrap_or("").to_owned();
        if message.starts_with("unknown field") {
            return bad(&quoted, "unknown_parameter", format!("This operation has no parameter `{quoted}`."));
        }
        if message.starts_with("missing field") {
            return bad(&quoted, "required", format!("The parameter `{quoted}` is required."));
        }
        let name = error.path().to_string();
        bad(&name, "invalid_value", format!("The value of `{name}` is not valid: {message}."))
    })
}

fn form_pairs(encoded: &str) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(encoded.as_bytes())
}

impl<S: Sync, F: DeserializeOwned + Send> FromRequestParts<S> for List<F> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let context = crate::Ctx::from_request_parts(parts, state).await?.0;
        let (mut limit, mut cursor, mut order, mut rest) =
            (limits::PAGE_DEFAULT, None, Order::default(), Vec::new());
        for (name, value) in pairs(parts.uri.query().unwrap_or(""))? {
            match name.as_str() {
                "limit" => {
                    limit = value.parse().ok().filter(|n| (1..=limits::PAGE_MAX).contains(n)).ok_or_else(
                        || {
                            bad(
                                "limit",
                                "out_of_range",
                                format!("`limit` is a number from 1 to {}.", limits::PAGE_MAX),
                            )
                        },
                    )?;
                }
                "cursor" => cursor = Some(value),
                "order" => {
                    order = match value.as_str() {
                        "asc" => Order::Asc,
                        "desc" => Order::Desc,
                        _ => {
                            return Err(
                                bad("order", "not_a_choice", "`order` is `asc` or `desc`.".into()).into()
                            );
                        }
                    }
                }
                _ => rest.push((name, value)),
            }
        }
        let filter = filter(&rest)?;
        let binding = bind(&context, order, &rest);
        let after = match cursor {
            None => None,
            Some(cursor) => Some(open(&context.cursor_key, binding, &cursor).ok_or_else(|| {
                let detail =
                    "The cursor does not belong to this list with these filters. Start again without it.";
                Problem::new(Code::InvalidCursor, detail).field(FieldError::parameter(
                    "cursor",
                    "invalid_cursor",
                    detail,
                ))
            })?),
        };
        Ok(Self { limit, after, order, filter, binding, context })
    }
}

/// Query parameters of an operation that is not a list, read strictly.
#[derive(Debug)]
pub struct Query<Q>(pub Q);

impl<S: Sync, Q: DeserializeOwned> FromRequestParts<S> for Query<Q> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self(filter(&pairs(parts.uri.query().unwrap_or(""))?)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: [u8; 32] = [9; 32];

    #[test]
    fn a_cursor_opens_only_for_the_list_it_was_made_for() {
        let cursor = seal(&KEY, [1; 8], "frm_x");
        assert_eq!(open(&KEY, [1; 8], &cursor).as_deref(), Some("frm_x"));
        assert_eq!(open(&KEY, [2; 8], &cursor), None, "another filter");
        assert_eq!(open(&[8; 32], [1; 8], &cursor), None, "another installation");
    }

    #[test]
    fn filters_are_strict() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Filter {
            #[serde(default)]
            age: Option<u8>,
        }
        let read = |query: &str| pairs(query).and_then(|p| filter::<Filter>(&p));
        assert_eq!(read("age=7").unwrap().age, Some(7));
        for (query, parameter, code) in [
            ("agee=7", "agee", "unknown_parameter"),
            ("age=x", "age", "invalid_value"),
            ("age=1&age=2", "age", "repeated"),
        ] {
            let problem = read(query).unwrap_err();
            assert_eq!(problem.code, Code::InvalidParameter);
            assert_eq!(problem.errors[0].parameter.as_deref(), Some(parameter), "{query}");
            assert_eq!(problem.errors[0].code, code, "{query}");
        }
    }

    proptest! {
        #[test]
        fn a_tampered_cursor_never_opens(sort_key in "[a-z0-9_]{0,40}", at in 0usize..200, bit in 0u8..8) {
            let cursor = seal(&KEY, [3; 8], &sort_key);
            let mut raw = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
            let at = at % raw.len();
            raw[at] ^= 1 << bit;
            prop_assert_eq!(open(&KEY, [3; 8], &URL_SAFE_NO_PAD.encode(raw)), None);
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,80}") {
            let _ = open(&KEY, [0; 8], &text);
            let _ = pairs(&text);
        }
    }
}
