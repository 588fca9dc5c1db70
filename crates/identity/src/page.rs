//! Keyset pages: how this crate's lists are asked for and answered. Cursors are the API's business; here a page
//! begins behind a key.

use plinth_store::{Arg, FromRow, Tx};

use crate::limits::PAGE_MAX;

/// Which page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// At most this many rows, 1 to [`PAGE_MAX`].
    pub limit: u32,
    /// Begin behind this key: the last row's id (its sequence in the audit trail), `None` for the first page.
    pub after: Option<String>,
    /// Newest first.
    pub descending: bool,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { limit: 20, after: None, descending: false }
    }
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Whether there are more behind them.
    pub has_more: bool,
}

impl<T> Listed<T> {
    pub(crate) fn try_map<U, E>(self, f: impl FnMut(T) -> Result<U, E>) -> Result<Listed<U>, E> {
        Ok(Listed { data: self.data.into_iter().map(f).collect::<Result<_, E>>()?, has_more: self.has_more })
    }
}

/// The four statements of a list: first page or a later one, up or down. Four constants instead of one clever
/// statement, because each of them is a plain range scan of the index on both engines.
pub(crate) struct Keyset {
    pub first_up: &'static str,
    pub first_down: &'static str,
    pub later_up: &'static str,
    pub later_down: &'static str,
}

/// `keyset!("SELECT … WHERE tenant_id = $1", "id")`: `$1` is the owner, `$2` the limit, `$3` the key to begin behind.
macro_rules! keyset {
    ($select:expr, $key:literal) => {
        $crate::page::Keyset {
            first_up: concat!($select, " ORDER BY ", $key, " LIMIT $2"),
            first_down: concat!($select, " ORDER BY ", $key, " DESC LIMIT $2"),
            later_up: concat!($select, " AND ", $key, " > $3 ORDER BY ", $key, " LIMIT $2"),
            later_down: concat!($select, " AND ", $key, " < $3 ORDER BY ", $key, " DESC LIMIT $2"),
        }
    };
}
pub(crate) use keyset;

/// Reads a page of what `owner` has.
pub(crate) fn list<T: FromRow>(
    tx: &mut Tx<'_>,
    keyset: &Keyset,
    owner: &str,
    page: &PageRequest,
    after: Option<Arg<'_>>,
) -> Result<Listed<T>, plinth_store::Error> {
    let limit = page.limit.clamp(1, PAGE_MAX);
    let one_more = Arg::from(limit + 1);
    let mut data: Vec<T> = match after {
        None => {
            let query = if page.descending { keyset.first_down } else { keyset.first_up };
            tx.all(query, &[Arg::from(owner), one_more])?
        }
        Some(after) => {
            let query = if page.descending { keyset.later_down } else { keyset.later_up };
            tx.all(query, &[Arg::from(owner), one_more, after])?
        }
    };
    let has_more = data.len() > limit as usize;
    data.truncate(limit as usize);
    Ok(Listed { data, has_more })
}
