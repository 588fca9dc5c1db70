//! The site as its readers meet it: requests in, pages out, on the real content.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod content;
mod gates;
mod pages;
mod reload;
mod requests;
mod style;
