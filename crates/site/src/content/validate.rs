//! What the types cannot say: lengths, references, drawings that fit.

use super::{
    Content,
    error::Fault,
    front_matter::line_at,
    model::{Diagram, Entry, System},
    tree::Tree,
};
use crate::limits;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// Adds every fault found.
pub(super) fn check(content: &Content, tree: &Tree, faults: &mut Vec<Fault>) {
    lengths(content, faults);
    for system in &content.systems {
        if let Some(diagram) = &system.front.diagram {
            Drawing { system, faults }.check(diagram);
        }
    }
    related(content, faults);
    dates(content, faults);
    assistant(content, tree, faults);
    links(content, faults);
    site(content, faults);
}

fn site(content: &Content, faults: &mut Vec<Fault>) {
    let url = &content.site.url;
    if !url.is_empty() && (!(url.starts_with("https://") || url.starts_with("http://")) || url.ends_with('/'))
    {
        faults.push(Fault::file("site.toml", "url must begin with https:// and end without a slash"));
    }
}

/// One entry's lists: name of the key and its values.
type Lists<'a> = Vec<(&'static str, Vec<&'a str>)>;

fn lengths(content: &Content, faults: &mut Vec<Fault>) {
    fn all(values: &[String]) -> Vec<&str> {
        values.iter().map(String::as_str).collect()
    }
    for s in &content.skills {
        let f = &s.front;
        lists(
            s,
            vec![("title", vec![&f.title]), ("points", all(&f.points)), ("stack", all(&f.stack))],
            faults,
        );
        needs_body(s, "the aim of the skill", faults);
    }
    for s in &content.systems {
        let f = &s.front;
        let fields: Lists<'_> = vec![
            ("title", vec![&f.title]),
            ("short", vec![&f.short]),
            ("role", vec![&f.role]),
            ("problem", vec![&f.problem]),
            ("architecture", all(&f.architecture)),
            ("challenges", all(&f.challenges)),
            ("scalability", all(&f.scalability)),
            ("stack", all(&f.stack)),
        ];
        lists(s, fields, faults);
        needs_body(s, "a summary of the system", faults);
    }
    for d in &content.designs {
        let f = &d.front;
        let fields: Lists<'_> = vec![
            ("title", vec![&f.title]),
            ("theme", vec![&f.theme]),
            ("scaling", all(&f.scaling)),
            ("bottlenecks", all(&f.bottlenecks)),
            ("trade_offs", all(&f.trade_offs)),
        ];
        lists(d, fields, faults);
        needs_body(d, "an overview of the design", faults);
    }
    for e in &content.experience {
        let f = &e.front;
        let fields: Lists<'_> = vec![
            ("kind", vec![&f.kind]),
            ("title", vec![&f.title]),
            ("when", vec![&f.when]),
            ("points", all(&f.points)),
        ];
        lists(e, fields, faults);
    }
    for n in &content.notes {
        let f = &n.front;
        let fields: Lists<'_> =
            vec![("title", vec![&f.title]), ("summary", vec![&f.summary]), ("covers", all(&f.covers))];
        lists(n, fields, faults);
    }
}

fn lists<F>(entry: &Entry<F>, fields: Lists<'_>, faults: &mut Vec<Fault>) {
    for (key, values) in fields {
        let message = if values.is_empty() || values.iter().any(|v| v.trim().is_empty()) {
            format!("{key} must not be empty")
        } else if values.len() > limits::POINTS_MAX {
            format!("{key} has more than {} items", limits::POINTS_MAX)
        } else if values.iter().any(|v| v.chars().count() > limits::VALUE_CHARS_MAX) {
            format!("{key} has a value of more than {} characters", limits::VALUE_CHARS_MAX)
        } else {
            continue;
        };
        faults.push(Fault::at(&entry.file, line_of_key(&entry.front_text, key), message));
    }
}

/// The bodies of cards are one passage; only notes have sections.
fn needs_body<F>(entry: &Entry<F>, what: &str, faults: &mut Vec<Fault>) {
    let line = entry.front_text.matches('\n').count() + 3;
    if entry.body.sections.iter().any(|section| !section.title.is_empty()) {
        faults.push(Fault::at(&entry.file, line, format!("this text is {what}; headings belong into notes")));
    }
    if entry.body.sections.is_empty() {
        faults.push(Fault::at(
            &entry.file,
            line,
            format!("the text below the front matter is {what}; it is missing"),
        ));
    }
}

/// The line of a top-level key, counted from the top of the file; the fence is line 1.
fn line_of_key(front_text: &str, key: &str) -> usize {
    let is_key = |line: &str| line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='));
    front_text.lines().position(is_key).map_or(1, |i| i + 2)
}

fn line_of_span<F, T>(entry: &Entry<F>, value: &Spanned<T>) -> usize {
    line_at(&entry.front_text, value.span().start) + 1
}

/// Checks that a drawing can be drawn.
struct Drawing<'a> {
    system: &'a Entry<System>,
    faults: &'a mut Vec<Fault>,
}

impl Drawing<'_> {
    fn check(&mut self, diagram: &Diagram) {
        if diagram.nodes.is_empty() || diagram.nodes.len() > limits::DIAGRAM_NODES_MAX {
            let message = format!("a diagram has 1 to {} nodes", limits::DIAGRAM_NODES_MAX);
            self.faults.push(Fault::at(&self.system.file, 1, message));
        }
        let mut ids = BTreeSet::new();
        let mut places = BTreeMap::new();
        for node in &diagram.nodes {
            let (column, row) = node.at;
            if !ids.insert(node.id.get_ref().as_str()) {
                self.fault(&node.id, "this id is used by another node".into());
            }
            if let Some(other) = places.insert(node.at, node.id.get_ref().as_str()) {
                self.fault(&node.id, format!("stands where `{other}` already stands"));
            }
            if column >= limits::DIAGRAM_COLUMNS_MAX || row >= limits::DIAGRAM_ROWS_MAX {
                let (c, r) = (limits::DIAGRAM_COLUMNS_MAX, limits::DIAGRAM_ROWS_MAX);
                self.fault(&node.id, format!("`at` is outside of {c} columns and {r} rows"));
            }
            let longest = node.label.chars().count().max(node.note.chars().count());
            if node.label.is_empty() || longest > limits::DIAGRAM_LABEL_CHARS_MAX {
                let max = limits::DIAGRAM_LABEL_CHARS_MAX;
                self.fault(&node.id, format!("label and note fit up to {max} characters; a label is needed"));
            }
        }
        for edge in &diagram.edges {
            for end in [&edge.from, &edge.to] {
                if !ids.contains(end.get_ref().as_str()) {
                    self.fault(end, format!("there is no node `{}`", end.get_ref()));
                }
            }
            if edge.from.get_ref() == edge.to.get_ref() {
                self.fault(&edge.to, "an arrow leads to another node".into());
            }
        }
    }

    fn fault<T>(&mut self, value: &Spanned<T>, message: String) {
        self.faults.push(Fault::at(&self.system.file, line_of_span(self.system, value), message));
    }
}

fn related(content: &Content, faults: &mut Vec<Fault>) {
    for design in &content.designs {
        for slug in &design.front.related {
            if !content.systems.iter().any(|s| s.slug == *slug.get_ref()) {
                let message = format!("there is no systems/{}.md", slug.get_ref());
                faults.push(Fault::at(&design.file, line_of_span(design, slug), message));
            }
        }
    }
}

fn dates(content: &Content, faults: &mut Vec<Fault>) {
    for note in &content.notes {
        if let Some(date) = note.front.date.as_ref().filter(|date| !is_date(date.get_ref())) {
            let line = line_of_span(note, date);
            faults.push(Fault::at(&note.file, line, "a date is written YYYY-MM-DD"));
        }
    }
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let number =
        |i: usize, len: usize| parts.get(i).filter(|p| p.len() == len).and_then(|p| p.parse::<u32>().ok());
    parts.len() == 3
        && number(0, 4).is_some()
        && number(1, 2).is_some_and(|m| (1..=12).contains(&m))
        && number(2, 2).is_some_and(|d| (1..=31).contains(&d))
}

fn assistant(content: &Content, tree: &Tree, faults: &mut Vec<Fault>) {
    const FILE: &str = "assistant.toml";
    let text = tree.files.get(FILE).map_or("", |f| f.text.as_str());
    let mut fault = |at: usize, message: String| faults.push(Fault::at(FILE, line_at(text, at), message));
    let sources = content.assistant.facts.iter().map(|f| &f.source);
    for source in sources.chain(content.assistant.example.iter().map(|e| &e.source)) {
        if content.passage(source.get_ref()).is_none() {
            fault(source.span().start, format!("there is no passage `{}`", source.get_ref()));
        }
    }
    let facts = content.assistant.facts.iter().map(|f| &f.terms);
    for terms in facts.chain(content.assistant.unknowns.iter().map(|u| &u.terms)) {
        let rows = terms.get_ref();
        if rows.is_empty() || rows.iter().any(|row| row.is_empty() || row.iter().any(|w| w.trim().is_empty()))
        {
            fault(terms.span().start, "terms are rows of words; none may be empty".into());
        }
    }
    for (concept, words) in &content.assistant.lexicon {
        if words.iter().any(|w| w.trim().is_empty() || w.to_lowercase() != *w) {
            let at = text.find(&format!("\n{concept} = ")).map_or(0, |i| i + 1);
            fault(at, format!("the words of `{concept}` are written in lower case and are not empty"));
        }
    }
}

/// Links inside bodies lead to pages and anchors that exist.
fn links(content: &Content, faults: &mut Vec<Fault>) {
    let pages: BTreeSet<String> = content.paths().into_iter().collect();
    let anchors: BTreeSet<&str> = content.passages.iter().map(|p| p.url.as_str()).collect();
    let mut check = |file: &str, links: &[(usize, String)]| {
        for (line, target) in links {
            let page = target.split(['#', '?']).next().unwrap_or_default();
            let found =
                if target.contains('#') { anchors.contains(target.as_str()) } else { pages.contains(page) };
            if !found && !target.starts_with("/v1/") {
                faults.push(Fault::at(file, *line, format!("the link {target} leads nowhere")));
            }
        }
    };
    content.skills.iter().for_each(|e| check(&e.file, &e.body.links));
    content.systems.iter().for_each(|e| check(&e.file, &e.body.links));
    content.designs.iter().for_each(|e| check(&e.file, &e.body.links));
    content.experience.iter().for_each(|e| check(&e.file, &e.body.links));
    content.notes.iter().for_each(|e| check(&e.file, &e.body.links));
}
