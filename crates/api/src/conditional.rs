//! Conditional requests (RFC 9110 §13): entity tags, `If-None-Match` on reads, `If-Match` on changes.

use crate::{context::RequestContext, limits::ENTITY_TAGS_MAX, problem::ApiResult};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use plinth_kernel::{Code, Problem};
use serde::Serialize;

/// Something with a revision: it goes up by one with each change.
pub trait Versioned {
    /// The revision.
    fn rev(&self) -> i64;
}

/// The strong entity tag of a revision as this caller sees it.
#[must_use]
pub fn entity_tag(context: &RequestContext, rev: i64) -> String {
    format!("\"{rev}-{}\"", context.version)
}

fn listed(header: &str, tag: &str) -> bool {
    header.trim() == "*" || header.split(',').take(ENTITY_TAGS_MAX).any(|candidate| candidate.trim() == tag)
}

fn listed_weakly(header: &str, tag: &str) -> bool {
    let strip = |t: &str| t.trim().trim_start_matches("W/").to_owned();
    header.trim() == "*" || header.split(',').take(ENTITY_TAGS_MAX).any(|candidate| strip(candidate) == tag)
}

impl RequestContext {
    /// Refuses the change when the caller has read another revision. A caller that sent no `If-Match` passes.
    pub fn check_match(&self, rev: i64) -> Result<(), Problem> {
        match &self.if_match {
            Some(header) if !listed(header, &entity_tag(self, rev)) => Err(Problem::new(
                Code::PreconditionFailed,
                "It has changed since you read it. Read it again and repeat the change with its new ETag.",
            )),
            _ => Ok(()),
        }
    }

    /// As [`Self::check_match`], for things that must never be overwritten blindly.
    pub fn require_match(&self, rev: i64) -> Result<(), Problem> {
        if self.if_match.is_none() {
            return Err(Problem::new(
                Code::PreconditionRequired,
                "Send If-Match with the ETag of the state that this change was made for.",
            ));
        }
        self.check_match(rev)
    }
}

/// Answers a read: 304 without a body when the caller already has this revision.
pub fn conditional_json<T: Serialize + Versioned>(context: &RequestContext, body: &T) -> ApiResult<Response> {
    conditional_json_at(context, body.rev(), body)
}

/// As [`conditional_json`] for something whose revision stands elsewhere.
pub fn conditional_json_at<T: Serialize>(
    context: &RequestContext,
    rev: i64,
    body: &T,
) -> ApiResult<Response> {
    let tag = entity_tag(context, rev);
    let header_value = HeaderValue::try_from(&tag).map_err(Problem::internal)?;
    let fresh = context.if_none_match.as_deref().is_some_and(|sent| listed_weakly(sent, &tag));
    let mut response =
        if fresh { StatusCode::NOT_MODIFIED.into_response() } else { axum::Json(body).into_response() };
    response.headers_mut().insert(header::ETAG, header_value);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_as_the_rfc_says() {
        assert!(listed("\"1-a\", \"2-a\"", "\"2-a\""));
        assert!(listed("*", "\"2-a\""));
        assert!(!listed("W/\"2-a\"", "\"2-a\""), "If-Match compares strongly");
        assert!(listed_weakly("W/\"2-a\"", "\"2-a\""), "If-None-Match compares weakly");
        assert!(!listed("\"12-a\"", "\"2-a\""));
    }
}
