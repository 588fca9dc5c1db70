//! The console, from the snapshot inside the executable (format: ADR 0010).

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use std::{collections::HashMap, io::Read, sync::Arc};

static PACK: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/console.pack"));
const MAGIC: &[u8] = b"PLNCON1\n";
/// Largest file that is unpacked for a client that takes no Brotli, in bytes.
const UNPACKED_MAX_BYTES: usize = 8 * 1024 * 1024;
/// What the console's page may load: itself, and the API of the same origin.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; connect-src 'self' ws: wss:; \
     frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'";

#[derive(Deserialize)]
struct Index {
    sources: String,
    files: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    path: String,
    #[serde(rename = "type")]
    content_type: String,
    etag: String,
    immutable: bool,
    encoding: String,
    offset: usize,
    length: usize,
}

/// The files of the console.
pub struct Console {
    files: HashMap<String, Entry>,
    blobs: &'static [u8],
    /// Hash of the sources that the snapshot was built from.
    pub sources: String,
}

impl Console {
    /// Reads the embedded snapshot.
    pub fn embedded() -> Result<Self, String> {
        Self::read(PACK)
    }

    fn read(pack: &'static [u8]) -> Result<Self, String> {
        let rest = pack.strip_prefix(MAGIC).ok_or("the console's snapshot has another format")?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or("the console's snapshot is cut short")?;
        let length = u32::from_le_bytes(*length) as usize;
        let index = rest.get(..length).ok_or("the console's snapshot is cut short")?;
        let index: Index = serde_json::from_slice(index).map_err(|error| error.to_string())?;
        let blobs = &rest[length..];
        if let Some(bad) =
            index.files.iter().find(|file| blobs.get(file.offset..file.offset + file.length).is_none())
        {
            return Err(format!("the console's snapshot lacks {}", bad.path));
        }
        let files = index.files.into_iter().map(|file| (file.path.clone(), file)).collect();
        Ok(Self { files, blobs, sources: index.sources })
    }

    /// The console's routes. Paths of the single page all lead to its document.
    pub fn routes(self) -> Router {
        Router::new()
            .route("/console", get(|| async { Redirect::permanent("/console/") }))
            .route("/console/", get(page))
            .route("/console/{*path}", get(file))
            .with_state(Arc::new(self))
    }

    fn answer(&self, entry: &Entry, request: &HeaderMap) -> Response {
        let tag = format!("\"{}\"", entry.etag);
        let known = request.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        let fresh =
            known.is_some_and(|sent| sent.split(',').any(|one| one.trim().trim_start_matches("W/") == tag));
        let mut response =
            if fresh { StatusCode::NOT_MODIFIED.into_response() } else { self.body(entry, request) };
        let headers = response.headers_mut();
        let cache = if entry.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(tag) = HeaderValue::try_from(tag) {
            headers.insert(header::ETAG, tag);
        }
        if entry.path.ends_with(".html") {
            headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        }
        response
    }

    fn body(&self, entry: &Entry, request: &HeaderMap) -> Response {
        let packed = &self.blobs[entry.offset..entry.offset + entry.length];
        let takes_brotli =
            request.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).is_some_and(|sent| {
                sent.split(',').any(|one| one.split(';').next().unwrap_or("").trim() == "br")
            });
        let (bytes, encoded) = match (entry.encoding.as_str(), takes_brotli) {
            ("br", true) => (Bytes::from_static(packed), true),
            ("br", false) => match unpack(packed) {
                Some(bytes) => (bytes, false),
                None => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            },
            _ => (Bytes::from_static(packed), false),
        };
        let mut response = Body::from(bytes).into_response();
        if let Ok(value) = HeaderValue::try_from(&entry.content_type) {
            response.headers_mut().insert(header::CONTENT_TYPE, value);
        }
        if encoded {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
        }
        response
    }
}

fn unpack(packed: &[u8]) -> Option<Bytes> {
    let mut out = Vec::new();
    brotli::Decompressor::new(packed, 64 * 1024)
        .take(UNPACKED_MAX_BYTES as u64)
        .read_to_end(&mut out)
        .ok()?;
    Some(Bytes::from(out))
}

async fn page(State(console): State<Arc<Console>>, headers: HeaderMap) -> Response {
    match console.files.get("index.html") {
        Some(entry) => console.answer(entry, &headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn file(State(console): State<Arc<Console>>, Path(path): Path<String>, headers: HeaderMap) -> Response {
    match console.files.get(&path) {
        Some(entry) => console.answer(entry, &headers),
        // A missing asset is missing; any other path is a screen of the page.
        None if path.starts_with("assets/") => StatusCode::NOT_FOUND.into_response(),
        None => page(State(console), headers).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_console_is_whole() {
        let console = Console::embedded().unwrap();
        assert!(console.files.contains_key("index.html"));
        for entry in console.files.values().filter(|entry| entry.encoding == "br") {
            assert!(
                unpack(&console.blobs[entry.offset..entry.offset + entry.length]).is_some(),
                "{}",
                entry.path
            );
        }
    }

    #[test]
    fn a_client_without_brotli_gets_the_page_in_clear() {
        let console = Console::embedded().unwrap();
        let response = console.answer(&console.files["index.html"], &HeaderMap::new());
        assert_eq!(response.status(), 200);
        assert!(!response.headers().contains_key(header::CONTENT_ENCODING));
        assert!(response.headers().contains_key(header::CONTENT_SECURITY_POLICY));
    }

    #[test]
    fn a_damaged_snapshot_is_refused() {
        assert!(Console::read(b"").is_err());
        assert!(Console::read(b"PLNCON1\n\xff\xff\xff\xff{}").is_err());
    }
}
