//! Markdown to HTML, cut into sections that can be cited.
//!
//! Content is text, not markup: raw HTML is refused, so a content file cannot put a script on a page.

use super::{error::Fault, front_matter::line_at};
use crate::html::escape;
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html::push_html};
use serde::Serialize;
use std::ops::Range;

/// A part of a body below one second-level heading, or the part before the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Section {
    /// Last part of the anchor: the heading in lower case with hyphens; `intro` before the first heading.
    pub slug: String,
    /// The heading; empty before the first.
    pub title: String,
    /// Without its heading.
    pub html: String,
    /// The same as plain text.
    pub text: String,
}

/// A body.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Body {
    /// In order; empty when there is no text.
    pub sections: Vec<Section>,
    /// Line and target of every link that stays on the site.
    #[serde(skip)]
    pub links: Vec<(usize, String)>,
}

impl Body {
    /// All plain text.
    #[must_use]
    pub fn text(&self) -> String {
        self.sections.iter().map(|s| s.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// All HTML, headings included, for feeds.
    #[must_use]
    pub fn full_html(&self) -> String {
        let heading = |title: &str| match title {
            "" => String::new(),
            title => format!("<h2>{}</h2>\n", escape(title)),
        };
        self.sections.iter().map(|s| heading(&s.title) + &s.html).collect()
    }
}

/// Parses and checks a body. `lines_before` is what stands above it in the file.
pub fn parse(file: &str, text: &str, lines_before: usize) -> Result<Body, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut body = Body::default();
    let mut open = Open::default();
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_FOOTNOTES;
    let events: Vec<(Event<'_>, Range<usize>)> = Parser::new_ext(text, options).into_offset_iter().collect();
    let mut heading: Option<String> = None;

    for (event, range) in events {
        let line = line_at(text, range.start) + lines_before;
        check(file, line, &event, &mut faults);
        if let Event::Start(Tag::Link { dest_url, .. }) = &event
            && dest_url.starts_with(['/', '#'])
        {
            body.links.push((line, dest_url.to_string()));
        }
        match (&event, &mut heading) {
            (Event::Start(Tag::Heading { level: HeadingLevel::H2, .. }), _) => {
                open.close_into(&mut body.sections);
                heading = Some(String::new());
            }
            (Event::End(TagEnd::Heading(HeadingLevel::H2)), Some(title)) => {
                open.title = std::mem::take(title);
                open.slug = slugify(&open.title);
                if open.slug.is_empty() || body.sections.iter().any(|s| s.slug == open.slug) {
                    faults.push(Fault::at(
                        file,
                        line,
                        "this heading is empty or occurs twice: it is an anchor",
                    ));
                }
                heading = None;
            }
            (Event::Text(part) | Event::Code(part), Some(title)) => title.push_str(part),
            (_, Some(_)) => {}
            (_, None) => open.push(event),
        }
    }
    open.close_into(&mut body.sections);
    if faults.is_empty() { Ok(body) } else { Err(faults) }
}

fn check(file: &str, line: usize, event: &Event<'_>, faults: &mut Vec<Fault>) {
    let message = match event {
        Event::Html(_) | Event::InlineHtml(_) => "HTML is not part of content; write Markdown",
        Event::Start(Tag::Heading { level: HeadingLevel::H1, .. }) => {
            "the title is the page's only first-level heading; begin with ##"
        }
        Event::Start(Tag::Image { .. }) => "images are not supported; draw a diagram in the front matter",
        Event::Start(Tag::Link { dest_url, .. }) if !is_safe_link(dest_url) => {
            "a link begins with /, #, https:// or mailto:"
        }
        _ => return,
    };
    faults.push(Fault::at(file, line, message));
}

fn is_safe_link(url: &str) -> bool {
    (url.starts_with('/') && !url.starts_with("//"))
        || ["#", "https://", "http://", "mailto:"].iter().any(|prefix| url.starts_with(prefix))
}

#[derive(Default)]
struct Open<'a> {
    slug: String,
    title: String,
    events: Vec<Event<'a>>,
    text: String,
}

impl<'a> Open<'a> {
    fn push(&mut self, event: Event<'a>) {
        match &event {
            Event::Text(part) | Event::Code(part) => self.text.push_str(part),
            Event::SoftBreak | Event::HardBreak | Event::End(TagEnd::Paragraph | TagEnd::Item) => {
                self.text.push(' ');
            }
            _ => {}
        }
        self.events.push(event);
    }

    fn close_into(&mut self, sections: &mut Vec<Section>) {
        let done = std::mem::take(self);
        if done.events.is_empty() && done.title.is_empty() {
            return;
        }
        let mut out = String::new();
        push_html(&mut out, done.events.into_iter());
        let slug = if done.title.is_empty() { "intro".to_owned() } else { done.slug };
        sections.push(Section { slug, title: done.title, html: out, text: squeeze(&done.text) });
    }
}

/// Runs of white space become one space.
fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `Choosing between A & B` → `choosing-between-a-b`.
#[must_use]
pub fn slugify(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for ch in text.chars().flat_map(char::to_lowercase) {
        if ch.is_alphanumeric() {
            slug.push(ch);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_body_is_cut_at_second_level_headings() {
        let body =
            parse("a.md", "Lead *in*.\n\n## One & two\n\nText\nmore.\n\n## Three\n\n- a\n- b\n", 0).unwrap();
        let slugs: Vec<_> = body.sections.iter().map(|s| s.slug.as_str()).collect();
        assert_eq!(slugs, ["intro", "one-two", "three"]);
        assert_eq!(body.sections[1].text, "Text more.");
        assert_eq!(body.sections[2].text, "a b");
        assert!(body.sections[0].html.contains("<em>in</em>"));
        assert!(!body.sections[1].html.contains("<h2"));
    }

    #[test]
    fn html_scripts_and_strange_links_are_refused_on_their_line() {
        let faults =
            parse("a.md", "ok\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1))\n", 4).unwrap_err();
        assert_eq!(faults[0].line, Some(7));
        assert_eq!(faults.last().unwrap().line, Some(9));
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused_without_markup_of_its_own(text in "[#\\-*a<>/`\\[\\]()! \n]{0,80}") {
            if let Ok(body) = parse("a.md", &text, 0) {
                prop_assert!(!body.full_html().contains("<script"));
                let slugs: std::collections::BTreeSet<_> = body.sections.iter().map(|s| &s.slug).collect();
                prop_assert_eq!(slugs.len(), body.sections.len());
            }
        }
    }

    #[test]
    fn a_second_title_and_a_repeated_anchor_are_refused() {
        assert!(parse("a.md", "# Title\n", 0).is_err());
        assert!(parse("a.md", "## Same\n\nx\n\n## Same\n\ny\n", 0).is_err());
    }
}
