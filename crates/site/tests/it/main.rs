//! The site as its readers meet it: requests in, pages out, on the real content.

mod content;
mod gates;
mod pages;
mod reload;
mod requests;
mod style;
