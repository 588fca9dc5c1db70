//! An answer as HTML, for readers without JavaScript.

use crate::html::escape;
use plinth_kernel::ports::AnswerView;
use std::fmt::Write;

/// Paragraphs and lists, with `[n]` turned into links to the passages cited.
#[must_use]
pub fn answer_html(view: &AnswerView) -> String {
    let mut out = String::with_capacity(view.text.len() * 2);
    let mut in_list = false;
    for line in view.text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let item = line.strip_prefix("- ").or_else(|| line.strip_prefix("• "));
        if item.is_some() != in_list {
            out.push_str(if in_list { "</ul>" } else { "<ul>" });
            in_list = item.is_some();
        }
        let tag = if in_list { "li" } else { "p" };
        // Writing into a String cannot fail.
        let _ = write!(out, "<{tag}>{}</{tag}>", with_citations(item.unwrap_or(line), view));
    }
    if in_list {
        out.push_str("</ul>");
    }
    out
}

fn with_citations(text: &str, view: &AnswerView) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some(at) = rest.find('[') {
        out.push_str(&escape(&rest[..at]));
        rest = &rest[at..];
        let number = rest[1..].split_once(']').and_then(|(digits, _)| digits.parse::<u32>().ok());
        match number.and_then(|n| view.citations.iter().find(|c| c.n == n)) {
            Some(cited) => {
                let (n, url, title) = (cited.n, escape(&cited.url), escape(&cited.title));
                let _ = write!(out, "<a class=\"cite\" href=\"{url}\" title=\"{title}\">{n}</a>");
                rest = rest.split_once(']').map_or("", |(_, after)| after);
            }
            None => {
                out.push('[');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(&escape(rest));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use plinth_kernel::ports::CitationView;
    use proptest::prelude::*;

    fn view(text: &str) -> AnswerView {
        let cited = CitationView { n: 1, title: "A \"b\"".into(), url: "/x#y".into(), quote: String::new() };
        AnswerView { text: text.into(), citations: vec![cited], grounded: true, suggestions: vec![] }
    }

    #[test]
    fn markers_of_cited_passages_become_links_and_others_stay_text() {
        let html = answer_html(&view("Lead:\n- one [1]\n- two [7] <b>"));
        assert_eq!(
            html,
            "<p>Lead:</p><ul><li>one <a class=\"cite\" href=\"/x#y\" title=\"A &quot;b&quot;\">1</a></li>\
             <li>two [7] &lt;b&gt;</li></ul>"
        );
    }

    proptest! {
        #[test]
        fn no_answer_can_bring_its_own_markup(text in "[\\[\\]<>a1\"&\n -]{0,80}") {
            let html = answer_html(&view(&text));
            let tags = html.replace("<p>", "").replace("</p>", "").replace("<ul>", "").replace("</ul>", "")
                .replace("<li>", "").replace("</li>", "").replace("</a>", "").replace("<a class=", "");
            prop_assert!(!tags.contains('<'), "{html}");
        }
    }
}
