//! Breaking changes of the contract, one constant each.

use crate::version::{CURRENT, Change, rename};
use serde_json::Value;

/// `permissions` of an API key became `scopes`, the word that every operation's documentation uses.
pub const API_KEY_SCOPES: Change = Change {
    since: CURRENT,
    title: "API keys: `permissions` is called `scopes`",
    operations: &["create_api_key", "get_api_key", "list_api_keys", "rotate_api_key"],
    request_up: |body| rename(body, "permissions", "scopes"),
    response_down: |body| each_key(body, |key| rename(key, "scopes", "permissions")),
    pointer_down: |pointer| {
        let rest = pointer.strip_prefix("/scopes")?;
        (rest.is_empty() || rest.starts_with('/')).then(|| format!("/permissions{rest}"))
    },
};

/// Every API key in an answer: the answer itself, or the entries of a list.
fn each_key(body: &mut Value, change: impl Fn(&mut Value)) {
    if body["object"] == "list" {
        body["data"].as_array_mut().into_iter().flatten().for_each(change);
    } else {
        change(body);
    }
}
