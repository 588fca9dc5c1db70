//! Which pages there are, and what each of them is made of.

use crate::{
    cache::Draft,
    contact::FormState,
    content::{
        Content,
        markdown::slugify,
        model::{Diagram, Entry, System},
        passages::bare_names,
    },
    diagram, feeds,
    render::Renderer,
};
use minijinja::{Value, context, value::Serde};
use plinth_kernel::ports::AnswerView;
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const HTML: &str = "text/html; charset=utf-8";

/// A template value from anything that can be serialised.
fn value(of: impl Serialize) -> Value {
    Value::from(Serde(of))
}

/// Everything that is the same for all pages of one state of the content.
#[derive(Debug)]
pub struct Shared(Value);

/// A row of the index of technologies.
#[derive(Serialize)]
struct StackRow {
    slug: String,
    name: String,
    systems: Vec<(String, String)>,
}

impl Shared {
    /// Prepares the values. `product` is the version of the executable, for the colophon.
    #[must_use]
    pub fn of(content: &Content, product: &str, has_theme: bool) -> Self {
        let drawn = |draw: &dyn Fn(&Entry<System>, &Diagram) -> String| -> BTreeMap<String, String> {
            let drawn = content.systems.iter().filter_map(|s| Some((s, s.front.diagram.as_ref()?)));
            drawn.map(|(system, diagram)| (system.slug.clone(), draw(system, diagram))).collect()
        };
        let notes: Vec<_> = content
            .notes
            .iter()
            .map(|n| {
                let date = n.front.date.as_ref().map(|d| d.get_ref().as_str());
                context! {
                    updated => feeds::updated(date, n.modified_s), full_html => n.body.full_html(), ..value(n)
                }
            })
            .collect();
        let build = context! {
            content => content.version.as_str(), passages => content.passages.len(), product => product,
            theme => has_theme, updated => feeds::updated(None, content.modified_s()),
        };
        Self(context! {
            site => value(&content.site),
            skills => value(&content.skills),
            systems => value(&content.systems),
            designs => value(&content.designs),
            experience => value(&content.experience),
            notes => notes,
            stack_index => value(stack_index(content)),
            diagrams => value(drawn(&|s, d| diagram::svg(&s.slug, &s.front.title, d))),
            glyphs => value(drawn(&|_, d| diagram::glyph(d))),
            captions => value(drawn(&|_, d| d.caption.clone())),
            assistant => assistant(content),
            build => build,
        })
    }
}

fn assistant(content: &Content) -> Value {
    let profile = &content.assistant;
    let example = profile.example.as_ref().and_then(|example| {
        let passage = content.passage(example.source.get_ref())?;
        let (title, quote) = (passage.path.join(" / "), &passage.body);
        Some(context! {
            question => example.question.as_str(), quote => quote.as_str(), title => title, url => passage.url.as_str(),
        })
    });
    context! { name => profile.name.as_str(), suggestions => profile.suggestions.clone(), example => example }
}

fn stack_index(content: &Content) -> Vec<StackRow> {
    let mut rows: BTreeMap<String, StackRow> = BTreeMap::new();
    for system in &content.systems {
        for name in bare_names(&system.front.stack) {
            let slug = slugify(&name);
            let row = rows.entry(slug.clone()).or_insert(StackRow { slug, name, systems: Vec::new() });
            row.systems.push((system.slug.clone(), system.front.short.clone()));
        }
    }
    rows.into_values().collect()
}

/// Slugs of all technologies in the index.
#[must_use]
pub fn technologies(content: &Content) -> BTreeSet<String> {
    stack_index(content).into_iter().map(|row| row.slug).collect()
}

/// What a request adds to a page.
#[derive(Default)]
pub struct Extra {
    /// The contact form.
    pub form: FormState,
    /// A question and its answer, on `/ask`.
    pub answer: Option<Answered>,
    /// Title and sentence of an error page.
    pub error: Option<(u16, String, String)>,
}

/// A question that was answered, or could not be.
pub struct Answered {
    /// As asked.
    pub question: String,
    /// The answer, or a sentence that says why there is none.
    pub result: Result<AnswerView, String>,
}

/// A page that exists.
struct Page {
    template: &'static str,
    content_type: &'static str,
    title: String,
    description: String,
    kind: &'static str,
    crumbs: Vec<(String, String)>,
    item: Value,
    slug: String,
    linked_data: Vec<serde_json::Value>,
    suggestions: Vec<String>,
}

/// Renders the page at `path`, if there is one.
pub fn render(
    content: &Content,
    shared: &Shared,
    renderer: &Renderer,
    origin: &str,
    path: &str,
    extra: &Extra,
) -> Option<Result<Draft, minijinja::Error>> {
    let page = Finder { content, origin }.find(path)?;
    Some(page.render(content, shared, renderer, origin, path, extra))
}

/// Renders the page that says what went wrong.
pub fn render_error(
    content: &Content,
    shared: &Shared,
    renderer: &Renderer,
    origin: &str,
    extra: &Extra,
) -> Result<Draft, minijinja::Error> {
    let (_, title, detail) = extra.error.clone().unwrap_or_default();
    let page = Page { title, description: detail, ..Page::new("error.html") };
    page.render(content, shared, renderer, origin, "", extra)
}

impl Page {
    fn new(template: &'static str) -> Self {
        Self {
            template,
            content_type: HTML,
            title: String::new(),
            description: String::new(),
            kind: "website",
            crumbs: Vec::new(),
            item: Value::UNDEFINED,
            slug: String::new(),
            linked_data: Vec::new(),
            suggestions: Vec::new(),
        }
    }

    fn render(
        mut self,
        content: &Content,
        shared: &Shared,
        renderer: &Renderer,
        origin: &str,
        path: &str,
        extra: &Extra,
    ) -> Result<Draft, minijinja::Error> {
        if !self.crumbs.is_empty() {
            let list = breadcrumbs(origin, path, &self.crumbs, &self.title);
            self.linked_data.push(list);
        }
        let name = &content.site.person.name;
        let full_title = if path == "/" { self.title.clone() } else { format!("{} · {name}", self.title) };
        let suggestions = if self.suggestions.is_empty() {
            content.assistant.suggestions.clone()
        } else {
            self.suggestions
        };
        let text = renderer.render(
            self.template,
            context! {
                item => self.item, slug => self.slug, suggestions => suggestions, origin => origin, path => path,
                title => self.title, full_title => full_title, description => self.description, kind => self.kind,
                crumbs => value(&self.crumbs), linked_data => value(&self.linked_data),
                form => value(&extra.form), answer => answer_value(extra.answer.as_ref()),
                error_status => extra.error.as_ref().map(|e| e.0),
                ..shared.0.clone()
            },
        )?;
        Ok(Draft { content_type: self.content_type, text })
    }
}

fn answer_value(answered: Option<&Answered>) -> Value {
    let Some(answered) = answered else { return Value::UNDEFINED };
    match &answered.result {
        Ok(view) => context! {
            question => answered.question.as_str(), html => Value::from_safe_string(crate::ask::answer_html(view)),
            citations => value(&view.citations), grounded => view.grounded,
            suggestions => view.suggestions.clone(),
        },
        Err(sentence) => context! { question => answered.question.as_str(), error => sentence.as_str() },
    }
}

fn breadcrumbs(origin: &str, path: &str, crumbs: &[(String, String)], title: &str) -> serde_json::Value {
    let all = crumbs.iter().map(|(name, href)| (name.as_str(), href.as_str())).chain([(title, path)]);
    let items: Vec<_> = all
        .enumerate()
        .map(|(i, (name, href))| {
            json!({ "@type": "ListItem", "position": i + 1, "name": name, "item": format!("{origin}{href}") })
        })
        .collect();
    json!({ "@context": "https://schema.org", "@type": "BreadcrumbList", "itemListElement": items })
}

/// Looks a path up in the content.
struct Finder<'a> {
    content: &'a Content,
    origin: &'a str,
}

impl Finder<'_> {
    fn find(&self, path: &str) -> Option<Page> {
        let intros = &self.content.site.sections;
        let name = &self.content.site.person.name;
        let top = |template, title: &str, description: &str| Page {
            title: title.to_owned(),
            description: if description.is_empty() {
                format!("{title} of {name}.")
            } else {
                description.to_owned()
            },
            crumbs: vec![home()],
            ..Page::new(template)
        };
        Some(match path {
            "/" => self.home(),
            "/systems" => top("systems.html", "Systems", &intros.systems),
            "/design" => top("designs.html", "Design", &intros.design),
            "/experience" => top("experience.html", "Experience", &intros.experience),
            "/notes" => top("notes.html", "Notes", &intros.notes),
            "/cv" => top("cv.html", "CV", &self.content.site.person.summary),
            "/contact" => top("contact.html", "Contact", &self.content.site.contact.purpose),
            "/ask" => top("ask.html", "Ask", &self.content.assistant.help),
            "/notes.xml" => {
                Page { content_type: "application/atom+xml; charset=utf-8", ..Page::new("atom.xml") }
            }
            "/rss.xml" => Page { content_type: "application/rss+xml; charset=utf-8", ..Page::new("rss.xml") },
            "/sitemap.xml" => Page {
                content_type: "application/xml; charset=utf-8",
                item: Value::from(self.content.paths()),
                ..Page::new("sitemap.xml")
            },
            "/robots.txt" => Page { content_type: "text/plain; charset=utf-8", ..Page::new("robots.txt") },
            "/llms.txt" => Page { content_type: "text/markdown; charset=utf-8", ..Page::new("llms.txt") },
            _ => return self.detail(path),
        })
    }

    fn home(&self) -> Page {
        let person = &self.content.site.person;
        let knows: Vec<&String> = self
            .content
            .skills
            .iter()
            .flat_map(|s| [&s.front.title].into_iter().chain(&s.front.stack))
            .collect();
        let data = json!({
            "@context": "https://schema.org", "@type": "ProfilePage", "url": format!("{}/", self.origin),
            "mainEntity": {
                "@type": "Person", "name": person.name, "jobTitle": person.headline, "description": person.summary,
                "url": format!("{}/", self.origin), "knowsAbout": knows,
            },
        });
        Page {
            title: format!("{} · {}", person.name, person.headline),
            description: person.summary.clone(),
            kind: "profile",
            linked_data: vec![data],
            ..Page::new("home.html")
        }
    }

    fn detail(&self, path: &str) -> Option<Page> {
        let (folder, slug) = path.strip_prefix('/')?.split_once('/')?;
        match folder {
            "systems" => {
                let system = by_slug(&self.content.systems, slug)?;
                let name = lower_first(&system.front.title);
                let questions =
                    ["What was hard about the {}?", "How does the {} scale?", "What is the {} built with?"];
                Some(Page {
                    suggestions: questions.map(|q| q.replace("{}", &name)).into(),
                    ..self.article("system.html", system, &system.front.title, &system.front.problem, path)
                })
            }
            "design" => {
                let design = by_slug(&self.content.designs, slug)?;
                let title = &design.front.title;
                let questions =
                    ["What are the bottlenecks of {}?", "How do {} scale?", "Which trade-offs matter in {}?"];
                Some(Page {
                    suggestions: questions.map(|q| q.replace("{}", &lower_first(title))).into(),
                    ..self.article("design.html", design, title, &design.body.text(), path)
                })
            }
            "notes" => {
                let note = by_slug(&self.content.notes, slug)?;
                let mut page = self.article("note.html", note, &note.front.title, &note.front.summary, path);
                if let (Some(date), Some(data)) = (&note.front.date, page.linked_data.first_mut()) {
                    data["datePublished"] = json!(date.get_ref());
                }
                Some(page)
            }
            _ => None,
        }
    }

    fn article<F: Serialize>(
        &self,
        template: &'static str,
        entry: &Entry<F>,
        title: &str,
        description: &str,
        path: &str,
    ) -> Page {
        let (folder, heading) = match template {
            "system.html" => ("/systems", "Systems"),
            "design.html" => ("/design", "Design"),
            _ => ("/notes", "Notes"),
        };
        let person = &self.content.site.person;
        let data = json!({
            "@context": "https://schema.org", "@type": if folder == "/notes" { "Article" } else { "TechArticle" },
            "headline": title, "description": description, "url": format!("{}{path}", self.origin),
            "inLanguage": self.content.site.locale,
            "author": { "@type": "Person", "name": person.name, "url": format!("{}/", self.origin) },
        });
        Page {
            title: title.to_owned(),
            description: description.to_owned(),
            kind: "article",
            crumbs: vec![home(), (heading.to_owned(), folder.to_owned())],
            item: value(entry),
            slug: entry.slug.clone(),
            linked_data: vec![data],
            ..Page::new(template)
        }
    }
}

fn home() -> (String, String) {
    ("Home".to_owned(), "/".to_owned())
}

fn by_slug<'a, F>(entries: &'a [Entry<F>], slug: &str) -> Option<&'a Entry<F>> {
    entries.iter().find(|entry| entry.slug == slug)
}

/// For the middle of a sentence. Abbreviations keep their capitals.
fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}
