//! Styles, islands and typefaces: each under an address that names its content, so that it may be kept forever.

use crate::{cache, limits};
use bytes::Bytes;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

/// Where assets are served.
pub const PREFIX: &str = "/assets/site/";

#[derive(RustEmbed)]
#[folder = "assets/"]
#[include = "*.css"]
#[include = "*.js"]
#[include = "*.svg"]
#[include = "fonts/*.woff2"]
struct Embedded;

/// One asset, ready to be sent.
#[derive(Debug, Clone)]
pub struct Asset {
    /// Full path with the hash.
    pub url: String,
    /// Media type.
    pub content_type: &'static str,
    /// As it is.
    pub bytes: Bytes,
    /// Compressed with Brotli, where that helps.
    pub brotli: Option<Bytes>,
}

/// All assets by name (`site.css`) and by address.
#[derive(Debug, Clone, Default)]
pub struct Assets {
    by_name: BTreeMap<String, Arc<Asset>>,
    by_url: BTreeMap<String, Arc<Asset>>,
}

static OWN: LazyLock<Assets> = LazyLock::new(Assets::own);

impl Assets {
    /// Ours, and `theme.css` of the content if it has one.
    #[must_use]
    pub fn with_theme(theme: &BTreeMap<String, String>) -> Self {
        let mut assets = OWN.clone();
        if let Some(css) = theme.get("theme.css") {
            assets.add("theme.css", css.clone().into_bytes());
        }
        assets
    }

    /// The address of an asset.
    #[must_use]
    pub fn url(&self, name: &str) -> Option<&str> {
        self.by_name.get(name).map(|asset| asset.url.as_str())
    }

    /// The asset at an address.
    #[must_use]
    pub fn at(&self, url: &str) -> Option<&Arc<Asset>> {
        self.by_url.get(url)
    }

    fn own() -> Self {
        let mut assets = Self::default();
        let (styles, others): (Vec<_>, Vec<_>) = Embedded::iter().partition(|name| name.ends_with(".css"));
        for name in &others {
            if let Some(file) = Embedded::get(name) {
                assets.add(name, file.data.into_owned());
            }
        }
        // Styles come last: they name the hashed addresses of the typefaces.
        for name in &styles {
            if let Some(file) = Embedded::get(name) {
                let css = assets.with_addresses(&String::from_utf8_lossy(&file.data));
                assets.add(name, css.into_bytes());
            }
        }
        assets
    }

    fn with_addresses(&self, css: &str) -> String {
        self.by_name.iter().fold(css.to_owned(), |css, (name, asset)| {
            css.replace(&format!("url(\"{name}\")"), &format!("url(\"{}\")", asset.url))
        })
    }

    fn add(&mut self, name: &str, bytes: Vec<u8>) {
        let hash = cache::short_hex(&Sha256::digest(&bytes));
        let file = name.rsplit('/').next().unwrap_or(name);
        let (stem, extension) = file.rsplit_once('.').unwrap_or((file, "bin"));
        let content_type = match extension {
            "css" => "text/css; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "svg" => "image/svg+xml",
            "woff2" => "font/woff2",
            _ => "application/octet-stream",
        };
        // WOFF2 is Brotli inside already.
        let brotli = (extension != "woff2").then(|| cache::brotli(&bytes, limits::BROTLI_QUALITY_ASSETS));
        let url = format!("{PREFIX}{stem}-{hash}.{extension}");
        let asset = Arc::new(Asset { url: url.clone(), content_type, bytes: bytes.into(), brotli });
        self.by_name.insert(name.to_owned(), Arc::clone(&asset));
        self.by_url.insert(url, asset);
    }
}
