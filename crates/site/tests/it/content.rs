//! What a content folder may and may not say.

use plinth_kernel::ports::ContentSource;
use plinth_site::{
    ContentErrors, SiteContent,
    content::{Content, tree::Tree},
};
use std::collections::{BTreeMap, BTreeSet};

/// The sample, with one file replaced or added.
fn with(path: &str, change: impl FnOnce(&str) -> String) -> Result<Content, ContentErrors> {
    let mut tree = Tree::sample().unwrap();
    let before = tree.files.get(path).map(|f| f.text.clone()).unwrap_or_default();
    let text = change(&before);
    let changed = Tree::from_pairs([(path, text.as_str())]);
    tree.files.extend(changed.files);
    Content::parse(&tree)
}

fn faults(path: &str, change: impl FnOnce(&str) -> String) -> String {
    with(path, change).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn the_sample_holds_every_section() {
    let content = Content::parse(&Tree::sample().unwrap()).unwrap();
    assert_eq!(
        (
            content.skills.len(),
            content.systems.len(),
            content.designs.len(),
            content.experience.len(),
            content.notes.len()
        ),
        (6, 4, 5, 4, 4)
    );
    assert!(content.passages.len() > 100);
}

#[test]
fn passage_ids_are_unique_and_name_card_and_field() {
    let snapshot = SiteContent::open(None, "").unwrap().snapshot();
    let ids: BTreeSet<_> = snapshot.passages.iter().map(|p| p.id.as_str()).collect();
    assert_eq!(ids.len(), snapshot.passages.len());
    for id in
        ["profile.availability", "systems.forms.scalability", "skills.databases.points.2", "contact.purpose"]
    {
        assert!(ids.contains(id), "{id}");
    }
    for passage in &snapshot.passages {
        assert!(passage.id.starts_with(&format!("{}.", passage.card)), "{}", passage.id);
        assert!(passage.url.ends_with(&format!("#{}", passage.id)), "{}", passage.url);
        assert!(!passage.body.trim().is_empty() && !passage.path.is_empty(), "{}", passage.id);
    }
}

#[test]
fn a_snapshot_stays_the_same_object_until_the_content_changes() {
    let content = SiteContent::open(None, "").unwrap();
    assert!(std::sync::Arc::ptr_eq(&content.snapshot(), &content.snapshot()));
}

#[test]
fn an_unknown_key_is_refused_with_file_and_line() {
    let message = faults("skills/cloud.md", |t| t.replacen("order = 5", "order = 5\ncolour = \"red\"", 1));
    assert!(message.starts_with("skills/cloud.md:4: ") && message.contains("colour"), "{message}");
}

#[test]
fn a_wrong_depth_is_refused_with_the_words_that_are_right() {
    let message = faults("skills/cloud.md", |t| t.replacen("\"strong\"", "\"guru\"", 1));
    assert!(message.starts_with("skills/cloud.md:4: ") && message.contains("primary"), "{message}");
}

#[test]
fn an_empty_list_is_refused_on_its_line() {
    let message = faults("skills/frontend.md", |t| {
        let (before, after) = t.split_once("stack = ").unwrap();
        format!("{before}stack = []\n+++{}", after.split_once("+++").unwrap().1)
    });
    assert!(message.contains(": stack must not be empty") && message.contains("frontend.md:10"), "{message}");
}

#[test]
fn an_arrow_to_nowhere_is_refused_on_its_line() {
    let message = faults("systems/forms.md", |t| t.replacen("to = \"redis\"", "to = \"memcached\"", 1));
    assert!(message.contains("there is no node `memcached`"), "{message}");
    let line: usize = message.split(':').nth(1).unwrap().parse().unwrap();
    let text = &Tree::sample().unwrap().files["systems/forms.md"].text;
    assert!(text.lines().nth(line - 1).unwrap().contains("to = \"redis\""), "{message}");
}

#[test]
fn a_link_in_a_text_must_lead_somewhere() {
    let message = faults("notes/scalable-apis.md", |t| format!("{t}\nSee [that](/systems/nothing).\n"));
    assert!(message.contains("/systems/nothing leads nowhere"), "{message}");
    assert!(with("notes/scalable-apis.md", |t| format!("{t}\nSee [that](/systems/forms).\n")).is_ok());
}

#[test]
fn an_assistant_fact_must_name_a_passage() {
    let message =
        faults("assistant.toml", |t| t.replacen("\"profile.availability\"", "\"profile.salary\"", 1));
    assert!(
        message.contains("there is no passage `profile.salary`") && message.contains("assistant.toml:"),
        "{message}"
    );
}

#[test]
fn a_file_in_the_wrong_place_is_not_ignored_in_silence() {
    assert!(faults("projects/a.md", |_| "+++\n+++\n".into()).contains("does not belong here"));
    assert!(faults("notes/My Note.md", |_| "+++\n+++\n".into()).contains("becomes the address"));
}

#[test]
fn all_faults_are_reported_at_once() {
    let mut tree = Tree::sample().unwrap();
    for path in ["skills/cloud.md", "skills/backend.md"] {
        tree.files.get_mut(path).unwrap().text = "no front matter".into();
    }
    assert_eq!(Content::parse(&tree).unwrap_err().0.len(), 2);
}

#[test]
fn a_broken_theme_template_is_reported_with_its_line() {
    let mut tree = Tree::sample().unwrap();
    let theme = Tree::from_pairs([("theme/templates/home.html", "<p>\n{% if %}\n</p>")]);
    tree.files.extend(theme.files);
    let error = plinth_site::Site::check_tree(&tree).unwrap_err();
    assert!(error.to_string().starts_with("theme/templates/home.html:2"), "{error}");
}

#[test]
fn a_theme_template_that_fails_on_this_content_never_goes_live() {
    let mut tree = Tree::sample().unwrap();
    let theme = Tree::from_pairs([("theme/templates/note.html", "<p>\n{{ item.nothing.at.all }}\n</p>")]);
    tree.files.extend(theme.files);
    let error = plinth_site::Site::check_tree(&tree).unwrap_err();
    assert!(error.to_string().starts_with("theme/templates/note.html:2"), "{error}");
}

#[test]
fn known_unknowns_never_hide_what_the_site_says() {
    let snapshot = SiteContent::open(None, "").unwrap().snapshot();
    // Every title asked about in the plainest way must not run into a refusal.
    let cards: BTreeMap<_, _> = snapshot.passages.iter().map(|p| (&p.card, p.path.last().unwrap())).collect();
    for title in cards.values() {
        let question = format!("what does rajkumar know about {}", title.to_lowercase());
        let words: BTreeSet<_> = question.split(|c: char| !c.is_alphanumeric() && c != '-').collect();
        for unknown in &snapshot.assistant.unknowns {
            let hit = unknown.terms.iter().find(|row| row.iter().all(|w| words.contains(w.as_str())));
            assert!(hit.is_none(), "{question:?} is refused by {hit:?}");
        }
    }
}
