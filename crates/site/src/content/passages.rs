//! The citable passages: one for a field, a bullet or a section. Its id is the anchor in the page.

use super::{Content, model::Entry};
use plinth_kernel::ports::Passage;

/// All passages, in page order.
pub(super) fn of(content: &Content) -> Vec<Passage> {
    let mut list = List { passages: Vec::new(), locale: content.site.locale.clone() };
    profile(content, &mut list);
    skills(content, &mut list);
    systems(content, &mut list);
    designs(content, &mut list);
    experience(content, &mut list);
    notes(content, &mut list);
    contact(content, &mut list);
    list.passages
}

struct List {
    passages: Vec<Passage>,
    locale: String,
}

/// Where a group of passages stands.
struct Place<'a> {
    card: String,
    page: String,
    path: Vec<&'a str>,
    facets: Vec<String>,
}

impl List {
    /// Adds `card.name`. `heading` is the innermost heading; an empty body is not a passage.
    fn add(&mut self, place: &Place<'_>, name: &str, field: &str, heading: &str, body: String) {
        if body.trim().is_empty() {
            return;
        }
        let id = format!("{}.{name}", place.card);
        let path = place.path.iter().copied().chain([heading]).filter(|h| !h.is_empty()).map(String::from);
        self.passages.push(Passage {
            url: format!("{}#{id}", place.page),
            path: path.collect(),
            body,
            card: place.card.clone(),
            field: field.to_owned(),
            facets: place.facets.clone(),
            locale: self.locale.clone(),
            id,
        });
    }
}

fn profile(content: &Content, list: &mut List) {
    let person = &content.site.person;
    let place = Place { card: "profile".into(), page: "/".into(), path: vec![&person.name], facets: vec![] };
    list.add(&place, "headline", "headline", "", sentence(&person.headline));
    list.add(&place, "availability", "availability", "Availability", person.availability.clone());
    list.add(&place, "summary", "summary", "Profile", person.summary.clone());
    list.add(&place, "taglines", "taglines", "Profile", sentence(&joined(&person.taglines)));
    for group in &content.site.focus {
        let name = format!("focus.{}", group.id);
        list.add(&place, &name, "focus", &group.title, sentence(&joined(&group.points)));
    }
}

fn skills(content: &Content, list: &mut List) {
    for skill in &content.skills {
        let place = Place {
            card: card("skills", skill),
            page: "/".into(),
            path: vec!["Skills", &skill.front.title],
            facets: bare_names(&skill.front.stack),
        };
        list.add(&place, "aim", "aim", "", skill.body.text());
        for (i, point) in skill.front.points.iter().enumerate() {
            list.add(&place, &format!("points.{i}"), "points", "", point.clone());
        }
        list.add(&place, "stack", "stack", "Tools", sentence(&joined(&skill.front.stack)));
    }
}

fn systems(content: &Content, list: &mut List) {
    for system in &content.systems {
        let front = &system.front;
        let place = Place {
            card: card("systems", system),
            page: format!("/systems/{}", system.slug),
            path: vec!["Systems", &front.title],
            facets: bare_names(&front.stack),
        };
        list.add(&place, "summary", "summary", "", system.body.text());
        list.add(&place, "role", "role", "Role", front.role.clone());
        list.add(&place, "problem", "problem", "Problem", front.problem.clone());
        list.add(&place, "architecture", "architecture", "Architecture", front.architecture.join(" "));
        list.add(&place, "challenges", "challenges", "Challenges", front.challenges.join(" "));
        list.add(&place, "scalability", "scalability", "Scalability", front.scalability.join(" "));
        list.add(&place, "stack", "stack", "Stack", sentence(&joined(&front.stack)));
    }
}

fn designs(content: &Content, list: &mut List) {
    for design in &content.designs {
        let front = &design.front;
        let place = Place {
            card: card("design", design),
            page: format!("/design/{}", design.slug),
            path: vec!["Design", &front.title],
            facets: vec![],
        };
        list.add(&place, "theme", "theme", "Theme", sentence(&front.theme));
        list.add(&place, "overview", "overview", "Overview", design.body.text());
        list.add(&place, "scaling", "scaling", "Scaling", front.scaling.join(" "));
        list.add(&place, "bottlenecks", "bottlenecks", "Bottlenecks", front.bottlenecks.join(" "));
        list.add(&place, "trade_offs", "trade_offs", "Trade-offs", front.trade_offs.join(" "));
    }
}

fn experience(content: &Content, list: &mut List) {
    for entry in &content.experience {
        let front = &entry.front;
        let heading = format!("{} ({})", front.kind, front.when.to_lowercase());
        let place = Place {
            card: card("experience", entry),
            page: "/experience".into(),
            path: vec!["Experience", &heading],
            facets: vec![],
        };
        list.add(&place, "title", "title", "", sentence(&front.title));
        list.add(&place, "summary", "summary", "", entry.body.text());
        for (i, point) in front.points.iter().enumerate() {
            list.add(&place, &format!("points.{i}"), "points", "", point.clone());
        }
    }
}

fn notes(content: &Content, list: &mut List) {
    for note in &content.notes {
        let front = &note.front;
        let place = Place {
            card: card("notes", note),
            page: format!("/notes/{}", note.slug),
            path: vec!["Notes", &front.title],
            facets: vec![front.topic.clone()],
        };
        list.add(&place, "summary", "summary", "", front.summary.clone());
        list.add(&place, "covers", "covers", "Covers", sentence(&joined(&front.covers)));
        for section in &note.body.sections {
            list.add(&place, &section.slug, "body", &section.title, section.text.clone());
        }
    }
}

fn contact(content: &Content, list: &mut List) {
    let place =
        Place { card: "contact".into(), page: "/contact".into(), path: vec!["Contact"], facets: vec![] };
    list.add(&place, "purpose", "purpose", "", content.site.contact.purpose.clone());
    list.add(&place, "detail", "detail", "", content.site.contact.detail.clone());
}

fn card<F>(folder: &str, entry: &Entry<F>) -> String {
    format!("{folder}.{}", entry.slug)
}

/// `["a", "b"]` → `a, b`.
fn joined(points: &[String]) -> String {
    points.join(", ")
}

/// Ends with a full stop, so that passages can stand next to one another.
fn sentence(text: &str) -> String {
    if text.is_empty() || text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// `Go (working)` → `Go`; `AWS / GCP` → `AWS`, `GCP`.
#[must_use]
pub fn bare_names(stack: &[String]) -> Vec<String> {
    stack
        .iter()
        .flat_map(|name| name.split(" (").next().unwrap_or(name).split(" / "))
        .map(|name| name.trim().to_owned())
        .collect()
}
