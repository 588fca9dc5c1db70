//! What every page must be, whatever it shows.

use crate::gates::Desk;
use plinth_kernel::ports::ContentSource;
use plinth_site::html::attribute_values;
use std::collections::{BTreeMap, BTreeSet};

/// Bytes over the wire for one page with everything it loads.
const PAGE_BYTES_MAX: usize = 100_000;
const ISLANDS_BYTES_MAX: usize = 8 * 1024;
const HTML_BYTES_MAX: usize = 30 * 1024;
const FEEDS: [&str; 3] = ["/notes.xml", "/rss.xml", "/sitemap.xml"];

async fn all(desk: &Desk) -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    for path in desk.content.paths().into_iter().chain(["/ask?q=what".to_owned(), "/nothing".to_owned()]) {
        let reply = desk.get(&path).await;
        assert_eq!(reply.status, if path == "/nothing" { 404 } else { 200 }, "{path}");
        pages.insert(path, reply.text());
    }
    pages
}

/// Text as a reader sees it: no tags, entities resolved, white space squeezed.
fn visible(html: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for ch in html.chars() {
        match ch {
            '<' => inside = true,
            '>' => inside = false,
            _ if !inside => out.push(ch),
            _ => {}
        }
    }
    let out = out.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">");
    squeeze(&out.replace("&quot;", "\"").replace("&#39;", "'"))
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text of the element with this id, up to its own end tag.
fn element<'a>(html: &'a str, id: &str) -> &'a str {
    let at = html.find(&format!(" id=\"{id}\"")).unwrap_or_else(|| panic!("no {id}"));
    let start = html[..at].rfind('<').unwrap();
    let tag: String = html[start + 1..].chars().take_while(char::is_ascii_alphanumeric).collect();
    let (open, close) = (format!("<{tag}"), format!("</{tag}>"));
    let mut depth = 0;
    let mut from = start;
    loop {
        let next_close = html[from..].find(&close).unwrap() + from;
        match html[from..next_close].find(&open) {
            Some(inner) => {
                depth += 1;
                from += inner + open.len();
            }
            None if depth == 1 => return &html[start..next_close],
            None => {
                depth -= 1;
                from = next_close + close.len();
            }
        }
    }
}

#[tokio::test]
async fn every_passage_is_shown_at_its_anchor_in_the_owners_words() {
    let desk = Desk::sample();
    let pages = all(&desk).await;
    for passage in &desk.content.snapshot().passages {
        let (page, anchor) = passage.url.split_once('#').unwrap();
        let shown = visible(element(&pages[page], anchor)).to_lowercase();
        for word in squeeze(&passage.body)
            .to_lowercase()
            .split([' ', ',', '.', '(', ')', '/'])
            .filter(|w| !w.is_empty())
        {
            assert!(shown.contains(word), "{} does not show {word:?}: {shown}", passage.url);
        }
    }
}

#[tokio::test]
async fn every_link_and_anchor_resolves_and_no_id_occurs_twice() {
    let desk = Desk::sample();
    assert_eq!(desk.content.check(), []);
    for (path, page) in all(&desk).await {
        for href in attribute_values(&page, "href").into_iter().filter(|h| h.starts_with('/')) {
            let target = href.split('#').next().unwrap();
            let reply = desk.get(target).await;
            assert!(reply.status.is_success(), "{path} links to {href}: {}", reply.status);
            if let Some((_, anchor)) = href.split_once('#') {
                assert!(attribute_values(&reply.text(), "id").contains(&anchor), "{path} links to {href}");
            }
        }
        let ids = attribute_values(&page, "id");
        assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "{path} repeats an id");
        for name in ["for", "aria-labelledby", "aria-describedby"] {
            for id in attribute_values(&page, name).iter().flat_map(|v| v.split(' ')) {
                assert!(ids.contains(&id), "{path}: {name}={id} points nowhere");
            }
        }
    }
}

#[tokio::test]
async fn every_page_has_one_title_and_its_landmarks() {
    for (path, page) in all(&Desk::sample()).await {
        assert_eq!(page.matches("<h1").count(), 1, "{path}");
        for landmark in ["<main", "<header class=\"top\"", "<footer", "<nav", "<html lang=\"en\"", "<title>"]
        {
            assert!(page.contains(landmark), "{path} has no {landmark}");
        }
        assert!(!page.contains("<img"), "{path}: images need a test of their alternative text");
        let drawings = page.matches("role=\"img\"").count();
        assert_eq!(page.matches("<desc ").count(), drawings, "{path}: a drawing without a description");
        assert_eq!(page.matches("rel=\"canonical\"").count(), usize::from(path != "/nothing"), "{path}");
    }
}

#[tokio::test]
async fn headings_never_skip_a_level() {
    for (path, page) in all(&Desk::sample()).await {
        let mut last = 0;
        for (at, _) in page
            .match_indices("<h")
            .filter(|(at, _)| page[at + 2..].starts_with(|c: char| c.is_ascii_digit()))
        {
            let level = page[at + 2..].chars().next().and_then(|c| c.to_digit(10)).unwrap();
            assert!(level <= last + 1, "{path}: h{level} after h{last}: {}", &page[at..at + 60]);
            last = level;
        }
    }
}

#[tokio::test]
async fn nothing_is_inline_and_nothing_comes_from_elsewhere() {
    for (path, page) in all(&Desk::sample()).await {
        assert!(!page.contains("<style") && !page.contains(" style=\""), "{path}");
        for script in page.split("<script").skip(1) {
            let tag = script.split('>').next().unwrap();
            assert!(tag.contains(" src=\"/assets/") || tag.contains("application/ld+json"), "{path}: {tag}");
        }
        for handler in [" onclick=", " onload=", " onsubmit=", "javascript:"] {
            assert!(!page.contains(handler), "{path}: {handler}");
        }
        for source in attribute_values(&page, "src") {
            assert!(source.starts_with('/'), "{path} loads {source}");
        }
    }
}

#[tokio::test]
async fn linked_data_is_json_of_the_right_types() {
    let pages = all(&Desk::sample()).await;
    let types = |path: &str| -> Vec<String> {
        let scripts = pages[path].split("<script type=\"application/ld+json\">").skip(1);
        let values = scripts.map(|s| {
            serde_json::from_str::<serde_json::Value>(s.split("</script>").next().unwrap()).unwrap()
        });
        values.map(|v| v["@type"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(types("/"), ["ProfilePage"]);
    assert_eq!(types("/systems/forms"), ["TechArticle", "BreadcrumbList"]);
    assert_eq!(types("/notes/scalable-apis"), ["Article", "BreadcrumbList"]);
}

/// A small check of well-formedness: every element that opens also closes, in order.
fn assert_well_formed(name: &str, xml: &str) {
    let mut open = Vec::new();
    for tag in xml.split('<').skip(1).map(|part| part.split('>').next().unwrap()) {
        if tag.starts_with('?') || tag.ends_with('/') {
            continue;
        }
        match tag.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop(), Some(closed), "{name}"),
            None => open.push(tag.split_whitespace().next().unwrap()),
        }
    }
    assert!(open.is_empty(), "{name}: {open:?}");
    for entity in xml.split('&').skip(1) {
        let known = ["amp;", "lt;", "gt;", "quot;", "#39;"];
        assert!(known.iter().any(|k| entity.starts_with(k)), "{name}: &{}", &entity[..entity.len().min(12)]);
    }
}

#[tokio::test]
async fn feeds_are_well_formed_and_carry_every_note() {
    let desk = Desk::sample();
    for path in FEEDS {
        let reply = desk.get(path).await;
        assert!(reply.header("content-type").contains("xml"), "{path}");
        assert_well_formed(path, &reply.text());
    }
    let atom = desk.get("/notes.xml").await.text();
    assert_eq!(atom.matches("<entry>").count(), 4);
    assert!(atom.contains("&lt;h2&gt;Webhooks&lt;/h2&gt;"), "the feed carries the whole text");
    let sitemap = desk.get("/sitemap.xml").await.text();
    assert_eq!(sitemap.matches("<loc>https://site.example/").count(), desk.content.paths().len() - 1);
    assert!(desk.get("/robots.txt").await.text().contains("Sitemap: https://site.example/sitemap.xml"));
    assert!(desk.get("/llms.txt").await.text().contains("](https://site.example/systems/forms)"));
}

#[tokio::test]
async fn a_page_with_everything_it_loads_stays_small() {
    let desk = Desk::sample();
    for path in desk.content.paths() {
        let request = crate::gates::visited(axum::http::Request::get(&path)).header("accept-encoding", "br");
        let html = desk.send(request.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(html.header("content-encoding"), "br");
        assert!(html.body.len() < HTML_BYTES_MAX, "{path}: {} bytes", html.body.len());
        let page = desk.get(&path).await.text();
        let (mut total, mut islands) = (html.body.len(), 0);
        let loaded = attribute_values(&page, "src").into_iter().chain(attribute_values(&page, "href"));
        for url in loaded.filter(|u| u.starts_with("/assets/")).collect::<BTreeSet<_>>() {
            let request = axum::http::Request::get(url).header("accept-encoding", "br");
            let asset = desk.send(request.body(axum::body::Body::empty()).unwrap()).await;
            assert!(asset.header("cache-control").contains("immutable"), "{url}");
            total += asset.body.len();
            islands += if url.ends_with(".js") { asset.body.len() } else { 0 };
        }
        assert!(total < PAGE_BYTES_MAX, "{path}: {total} bytes");
        assert!(islands < ISLANDS_BYTES_MAX, "{path}: {islands} bytes of islands");
    }
}
