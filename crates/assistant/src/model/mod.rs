//! The pure core: what the assistant decides, without IO, clocks or randomness.
//!
//! A question becomes a [`question::Question`], is looked up in an [`index::Index`], passes the [`gate`] and is
//! composed into an [`answer::Answer`]. Nothing here can write a word the site's owner did not write, apart from the
//! fixed connecting phrases in [`answer`].

pub mod answer;
pub mod budget;
pub mod citation;
pub mod gate;
pub mod generation;
pub mod grounding;
pub mod index;
pub mod openai;
pub mod prompt;
pub mod question;
pub mod request;
pub mod run;
pub mod sse;
pub mod text;
pub mod ui_stream;
pub mod vocabulary;
