//! The public site of a tenant, rendered from files.
//!
//! Content is a folder of Markdown and TOML ([`content`]); a state of it is parsed, checked and swapped as a
//! whole ([`SiteContent`]), so a broken file never reaches a reader. Pages are rendered once for each state and
//! kept compressed. Every field and bullet is a passage with a stable id that is also its anchor: what the
//! assistant cites is what the page shows.
//!
//! **Invariants**: no page needs JavaScript; no page has an inline script or style; content is text, never markup.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod ask;
pub mod assets;
mod cache;
mod contact;
pub mod content;
mod diagram;
mod feeds;
pub mod html;
pub mod limits;
mod pages;
mod render;
mod routes;
mod watch;

pub use content::error::{ContentErrors, Fault};
pub use routes::Site;
pub use watch::Watch;

use arc_swap::ArcSwap;
use assets::Assets;
use content::{Content, tree::Tree};
use pages::{Extra, Shared};
use parking_lot::Mutex;
use plinth_kernel::ports::{AssistantProfile, ContentSnapshot, ContentSource, Fact, Unknown};
use render::Renderer;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

/// One state of the content with everything derived from it.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) content: Content,
    pub(crate) shared: Shared,
    pub(crate) renderer: Renderer,
    pub(crate) assets: Arc<Assets>,
    pub(crate) pages: cache::Pages,
    snapshot: Arc<ContentSnapshot>,
}

impl State {
    fn build(tree: &Tree, product: &str) -> Result<Self, ContentErrors> {
        let content = Content::parse(tree)?;
        let assets = Arc::new(Assets::with_theme(&content.theme));
        let renderer = Renderer::new(&content.theme, Arc::clone(&assets), pages::technologies(&content))?;
        let shared = Shared::of(&content, product, content.theme.contains_key("theme.css"));
        let snapshot = Arc::new(snapshot(&content));
        let state = Self { content, shared, renderer, assets, pages: cache::Pages::default(), snapshot };
        // A theme that compiles may still fail on this content; better now than in front of a reader.
        let mut check = Check::new(&state);
        check.render_all();
        ContentErrors::unless_empty(check.faults)?;
        Ok(state)
    }
}

fn snapshot(content: &Content) -> ContentSnapshot {
    let file = &content.assistant;
    let fact = |f: &content::model::FactRow| Fact {
        id: f.id.clone(),
        terms: f.terms.get_ref().clone(),
        answer: f.answer.clone(),
        source: f.source.get_ref().clone(),
    };
    let unknown =
        |u: &content::model::UnknownRow| Unknown { terms: u.terms.get_ref().clone(), reply: u.reply.clone() };
    ContentSnapshot {
        version: content.version.clone(),
        passages: content.passages.clone(),
        assistant: AssistantProfile {
            name: file.name.clone(),
            subject: file.subject.clone(),
            suggestions: file.suggestions.clone(),
            lexicon: file.lexicon.clone(),
            facts: file.facts.iter().map(fact).collect(),
            unknowns: file.unknowns.iter().map(unknown).collect(),
            greeting: file.greeting.clone(),
            thanks: file.thanks.clone(),
            help: file.help.clone(),
            contact_url: file.contact_url.clone(),
            refusal: file.refusal.clone(),
        },
    }
}

/// The content of a site, as it is now. Pages and the assistant read the same state.
#[derive(Debug)]
pub struct SiteContent {
    folder: Option<PathBuf>,
    product: String,
    state: ArcSwap<State>,
    /// One reload at a time: two at once could store the older one last.
    reloading: Mutex<()>,
}

impl SiteContent {
    /// Reads the content from `folder`, or takes the embedded sample. `product` is the version of the executable
    /// that the colophon names.
    pub fn open(folder: Option<PathBuf>, product: &str) -> Result<Arc<Self>, ContentErrors> {
        let tree = read(folder.as_deref())?;
        let state = ArcSwap::from_pointee(State::build(&tree, product)?);
        Ok(Arc::new(Self { folder, product: product.to_owned(), state, reloading: Mutex::new(()) }))
    }

    /// The content folder beside the executable or in the working directory, if there is one.
    #[must_use]
    pub fn discover() -> Option<PathBuf> {
        let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join("content")));
        let here = PathBuf::from("content");
        beside.into_iter().chain([here]).find(|folder| folder.join("site.toml").is_file())
    }

    /// Reads the folder again. `Ok(false)` when nothing changed; on an error the last good state stays.
    pub fn reload(&self) -> Result<bool, ContentErrors> {
        let _one_at_a_time = self.reloading.lock();
        let tree = read(self.folder.as_deref())?;
        if tree.version() == self.state.load().content.version {
            return Ok(false);
        }
        self.state.store(Arc::new(State::build(&tree, &self.product)?));
        Ok(true)
    }

    /// Follows changes on disk until the returned value is dropped. `Ok(None)` for the embedded sample.
    pub fn watch(self: &Arc<Self>) -> Result<Option<Watch>, notify::Error> {
        watch::start(self)
    }

    /// Hash of all files.
    #[must_use]
    pub fn version(&self) -> String {
        self.state.load().content.version.clone()
    }

    /// Paths of all pages.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        self.state.load().content.paths()
    }

    /// Renders every page and follows every link inside the site. What the parser cannot see is found here:
    /// templates that fail, links that lead nowhere, anchors that occur twice or are missing.
    #[must_use]
    pub fn check(&self) -> Vec<Fault> {
        Check::new(&self.state.load()).run()
    }

    pub(crate) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    pub(crate) fn state(&self) -> arc_swap::Guard<Arc<State>> {
        self.state.load()
    }
}

impl ContentSource for SiteContent {
    fn snapshot(&self) -> Arc<ContentSnapshot> {
        Arc::clone(&self.state.load().snapshot)
    }
}

fn read(folder: Option<&Path>) -> Result<Tree, ContentErrors> {
    match folder {
        Some(folder) => Tree::read(folder),
        None => Tree::sample(),
    }
}

/// The crawl behind [`SiteContent::check`].
struct Check<'a> {
    state: &'a State,
    pages: BTreeMap<String, String>,
    faults: Vec<Fault>,
}

impl<'a> Check<'a> {
    fn new(state: &'a State) -> Self {
        Self { state, pages: BTreeMap::new(), faults: Vec::new() }
    }

    fn render_all(&mut self) {
        let mut paths = self.state.content.paths();
        paths
            .extend(["/notes.xml", "/rss.xml", "/sitemap.xml", "/robots.txt", "/llms.txt"].map(String::from));
        for path in paths {
            self.render(&path);
        }
    }

    fn run(mut self) -> Vec<Fault> {
        self.render_all();
        let anchors: BTreeMap<&str, BTreeSet<&str>> =
            self.pages.iter().map(|(path, page)| (path.as_str(), ids(page))).collect();
        for (path, page) in &self.pages {
            let all = html::attribute_values(page, "id");
            if all.len() != anchors.get(path.as_str()).map_or(0, BTreeSet::len) {
                self.faults.push(Fault::file(path.as_str(), "an id occurs twice"));
            }
            for href in html::attribute_values(page, "href") {
                if !leads_somewhere(path, href, &anchors, &self.state.assets) {
                    self.faults.push(Fault::file(path.as_str(), format!("the link {href} leads nowhere")));
                }
            }
        }
        for passage in &self.state.content.passages {
            let (page, anchor) = passage.url.split_once('#').unwrap_or((&passage.url, ""));
            if !anchors.get(page).is_some_and(|ids| ids.contains(anchor)) {
                self.faults.push(Fault::file(page, format!("the passage {anchor} has no anchor")));
            }
        }
        self.faults
    }

    fn render(&mut self, path: &str) {
        let state = self.state;
        let extra = Extra::default();
        match pages::render(&state.content, &state.shared, &state.renderer, "https://site.test", path, &extra)
        {
            Some(Ok(page)) => {
                self.pages.insert(path.to_owned(), page.text);
            }
            Some(Err(error)) => {
                let file = format!("theme/templates/{}", error.name().unwrap_or_default());
                self.faults.push(Fault { file, line: error.line(), message: error.to_string() });
            }
            None => self.faults.push(Fault::file(path, "is listed but does not exist")),
        }
    }
}

fn ids(page: &str) -> BTreeSet<&str> {
    html::attribute_values(page, "id").into_iter().collect()
}

fn leads_somewhere(
    from: &str,
    href: &str,
    anchors: &BTreeMap<&str, BTreeSet<&str>>,
    assets: &Assets,
) -> bool {
    if !href.starts_with(['/', '#']) || href.starts_with("/console") {
        return true;
    }
    let (page, anchor) = href.split_once('#').map_or((href, None), |(page, anchor)| (page, Some(anchor)));
    let page = page.split('?').next().unwrap_or_default();
    let page = if page.is_empty() { from } else { page };
    if page.starts_with(assets::PREFIX) {
        return assets.at(page).is_some();
    }
    anchors.get(page).is_some_and(|ids| anchor.is_none_or(|anchor| ids.contains(anchor)))
}
