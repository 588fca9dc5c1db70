//! Content as files: Markdown with TOML front matter, read whole, checked whole, swapped whole.

pub mod error;
pub mod front_matter;
pub mod markdown;
pub mod model;
pub mod passages;
pub mod tree;
mod validate;

use error::{ContentErrors, Fault};
use model::{AssistantFile, Design, Entry, Experience, Note, SiteFile, Skill, System};
use plinth_kernel::ports::Passage;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use tree::{File, Tree};

/// Everything that the pages are made of. A value of this type has passed every check.
#[derive(Debug, Clone)]
pub struct Content {
    /// Hash of all files.
    pub version: String,
    /// `site.toml`.
    pub site: SiteFile,
    /// In order.
    pub skills: Vec<Entry<Skill>>,
    /// In order.
    pub systems: Vec<Entry<System>>,
    /// In order.
    pub designs: Vec<Entry<Design>>,
    /// In order.
    pub experience: Vec<Entry<Experience>>,
    /// In order.
    pub notes: Vec<Entry<Note>>,
    /// `assistant.toml`.
    pub assistant: AssistantFile,
    /// Every citable passage, in page order.
    pub passages: Vec<Passage>,
    /// Template and style overrides: path below `theme/` → text.
    pub theme: BTreeMap<String, String>,
}

impl Content {
    /// Parses and checks a tree. All faults are reported at once.
    pub fn parse(tree: &Tree) -> Result<Self, ContentErrors> {
        let mut faults = Vec::new();
        check_places(tree, &mut faults);
        let site = toml_file::<SiteFile>(tree, "site.toml", &mut faults);
        let assistant = toml_file::<AssistantFile>(tree, "assistant.toml", &mut faults);
        let skills = folder::<Skill>(tree, "skills", |s| s.order, &mut faults);
        let systems = folder::<System>(tree, "systems", |s| s.order, &mut faults);
        let designs = folder::<Design>(tree, "design", |s| s.order, &mut faults);
        let experience = folder::<Experience>(tree, "experience", |s| s.order, &mut faults);
        let notes = folder::<Note>(tree, "notes", |s| s.order, &mut faults);
        // A file that could not be read makes every reference to it look wrong: what is checked across files waits.
        ContentErrors::unless_empty(std::mem::take(&mut faults))?;
        let (Some(site), Some(assistant)) = (site, assistant) else {
            return Err(ContentErrors(vec![Fault::file("site.toml", "cannot be read")]));
        };
        let theme = tree
            .files
            .iter()
            .filter_map(|(path, file)| Some((path.strip_prefix("theme/")?.to_owned(), file.text.clone())))
            .collect();
        let mut content = Self {
            version: tree.version(),
            site,
            skills,
            systems,
            designs,
            experience,
            notes,
            assistant,
            passages: Vec::new(),
            theme,
        };
        content.passages = passages::of(&content);
        validate::check(&content, tree, &mut faults);
        ContentErrors::unless_empty(faults)?;
        Ok(content)
    }

    /// Finds a passage.
    #[must_use]
    pub fn passage(&self, id: &str) -> Option<&Passage> {
        self.passages.iter().find(|p| p.id == id)
    }

    /// Paths of all pages, in the order of the sitemap.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let mut paths: Vec<String> = ["/", "/systems"].map(String::from).into();
        paths.extend(self.systems.iter().map(|s| format!("/systems/{}", s.slug)));
        paths.push("/design".into());
        paths.extend(self.designs.iter().map(|d| format!("/design/{}", d.slug)));
        paths.extend(["/experience", "/notes"].map(String::from));
        paths.extend(self.notes.iter().map(|n| format!("/notes/{}", n.slug)));
        paths.extend(["/cv", "/contact", "/ask"].map(String::from));
        paths
    }

    /// The newest change of any file that the feeds speak of.
    #[must_use]
    pub fn modified_s(&self) -> Option<u64> {
        self.notes.iter().filter_map(|n| n.modified_s).max()
    }
}

const FOLDERS: &[&str] = &["skills", "systems", "design", "experience", "notes", "theme"];

/// A file in the wrong place would be ignored in silence; saying so is kinder.
fn check_places(tree: &Tree, faults: &mut Vec<Fault>) {
    for path in tree.files.keys() {
        let known = match path.split_once('/') {
            None => matches!(path.as_str(), "site.toml" | "assistant.toml") || path.ends_with(".txt"),
            Some((folder, _)) => FOLDERS.contains(&folder),
        };
        if !known {
            let message = format!(
                "does not belong here; known are site.toml, assistant.toml and {}",
                FOLDERS.join("/, ") + "/"
            );
            faults.push(Fault::file(path, message));
        }
    }
}

fn toml_file<T: DeserializeOwned>(tree: &Tree, name: &str, faults: &mut Vec<Fault>) -> Option<T> {
    let Some(file) = tree.files.get(name) else {
        faults.push(Fault::file(name, "is missing"));
        return None;
    };
    front_matter::parse(name, &file.text, 0).map_err(|fault| faults.push(fault)).ok()
}

fn folder<F: DeserializeOwned>(
    tree: &Tree,
    folder: &str,
    order: impl Fn(&F) -> u32,
    faults: &mut Vec<Fault>,
) -> Vec<Entry<F>> {
    let mut entries = Vec::new();
    for (path, file) in &tree.files {
        let Some(name) = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')) else { continue };
        match entry(path, name, file) {
            Ok(entry) => entries.push(entry),
            Err(found) => faults.extend(found),
        }
    }
    // Equal orders fall back to the file name, so that the pages are the same on every machine.
    entries.sort_by(|a: &Entry<F>, b| (order(&a.front), &a.slug).cmp(&(order(&b.front), &b.slug)));
    entries
}

fn entry<F: DeserializeOwned>(path: &str, name: &str, file: &File) -> Result<Entry<F>, Vec<Fault>> {
    let slug = name.strip_suffix(".md").unwrap_or_default();
    if slug.is_empty() || !slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        let message =
            "the file name becomes the address: lower-case letters, digits and hyphens, ending in .md";
        return Err(vec![Fault::file(path, message)]);
    }
    let parts = front_matter::split(path, &file.text).map_err(|fault| vec![fault])?;
    let front = front_matter::parse(path, parts.front, parts.front_offset).map_err(|fault| vec![fault]);
    let body = markdown::parse(path, parts.body, parts.body_offset);
    match (front, body) {
        (Ok(front), Ok(body)) => Ok(Entry {
            slug: slug.to_owned(),
            file: path.to_owned(),
            front_text: parts.front.to_owned(),
            front,
            body,
            modified_s: file.modified_s,
        }),
        (front, body) => {
            Err(front.err().unwrap_or_default().into_iter().chain(body.err().unwrap_or_default()).collect())
        }
    }
}
