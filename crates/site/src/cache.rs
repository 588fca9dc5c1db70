//! Rendered pages, compressed once, kept for as long as the content stays as it is.

use crate::limits;
use bytes::Bytes;
use parking_lot::RwLock;
use sha2::{Digest, Sha256};
use std::{collections::HashMap, fmt::Write, io, sync::Arc};

/// A page as a template leaves it.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Media type.
    pub content_type: &'static str,
    /// The page.
    pub text: String,
}

/// A page as it is sent.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// Media type.
    pub content_type: &'static str,
    /// As it is.
    pub bytes: Bytes,
    /// Compressed with Brotli.
    pub brotli: Bytes,
    /// Hash of the bytes; the entity tag is made from it.
    pub hash: String,
}

impl Rendered {
    /// Compresses and hashes a page.
    #[must_use]
    pub fn new(Draft { content_type, text }: Draft) -> Self {
        let hash = short_hex(&Sha256::digest(text.as_bytes()));
        let brotli = brotli(text.as_bytes(), limits::BROTLI_QUALITY);
        Self { content_type, bytes: text.into(), brotli, hash }
    }

    /// A page that is sent once, as it is: compressing it costs more than it saves.
    #[must_use]
    pub fn once(Draft { content_type, text }: Draft) -> Self {
        Self { content_type, bytes: text.into(), brotli: Bytes::new(), hash: String::new() }
    }
}

/// What tells one rendering from another within one state of the content.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// Path of the page.
    pub path: String,
    /// Scheme and host: they stand in canonical addresses.
    pub origin: String,
    /// Hash of what a page shows besides the content (the published form).
    pub extra: u64,
}

/// The pages of one state of the content. A reload makes a new one, so nothing is ever invalidated.
#[derive(Debug, Default)]
pub struct Pages(RwLock<HashMap<Key, Arc<Rendered>>>);

impl Pages {
    /// The kept page, or the one that `render` makes. Two first requests may both render: the result is the same.
    pub fn get_or<E>(&self, key: Key, render: impl FnOnce() -> Result<Draft, E>) -> Result<Arc<Rendered>, E> {
        if let Some(page) = self.0.read().get(&key) {
            return Ok(Arc::clone(page));
        }
        let page = Arc::new(Rendered::new(render()?));
        let mut pages = self.0.write();
        if pages.len() >= limits::PAGES_CACHED_MAX {
            pages.clear();
        }
        pages.insert(key, Arc::clone(&page));
        Ok(page)
    }
}

/// The first 12 hexadecimal digits of a hash: enough to tell versions of one thing apart.
#[must_use]
pub fn short_hex(hash: &[u8]) -> String {
    hash.iter().take(6).fold(String::with_capacity(12), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Compresses in memory.
#[must_use]
pub fn brotli(bytes: &[u8], quality: u32) -> Bytes {
    let params = brotli::enc::BrotliEncoderParams {
        quality: i32::try_from(quality).unwrap_or(5),
        size_hint: bytes.len(),
        ..Default::default()
    };
    let mut out = Vec::with_capacity(bytes.len() / 3);
    match brotli::BrotliCompress(&mut io::Cursor::new(bytes), &mut out, &params) {
        Ok(_) => out.into(),
        // In memory there is nothing that could fail; an empty body would be worse than a large one.
        Err(_) => Bytes::copy_from_slice(bytes),
    }
}
