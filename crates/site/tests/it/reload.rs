//! Content on disk changes while the site runs.

use crate::gates::Desk;
use plinth_kernel::ports::ContentSource;
use plinth_site::{SiteContent, content::tree::Tree};
use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

/// Longer than any reload takes even on a busy machine.
const DEADLINE: Duration = Duration::from_secs(20);

fn copy_sample(to: &Path) {
    for (path, file) in Tree::sample().unwrap().files {
        let target = to.join(path);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::write(target, file.text).unwrap();
    }
}

fn edit(folder: &Path, file: &str, from: &str, to: &str) {
    let path = folder.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has no {from:?}");
    fs::write(path, text.replace(from, to)).unwrap();
}

/// Awaits a change of state rather than an amount of time.
async fn until(content: &Arc<SiteContent>, shown: impl Fn(&SiteContent) -> bool) {
    let started = Instant::now();
    while !shown(content) {
        assert!(started.elapsed() < DEADLINE, "the change was not picked up");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_saved_file_is_on_the_page_and_in_the_answers() {
    let folder = tempfile::tempdir().unwrap();
    copy_sample(folder.path());
    let content = SiteContent::open(Some(folder.path().into()), "").unwrap();
    let _watch = content.watch().unwrap().expect("a folder can be watched");
    let desk = Desk::on(Arc::clone(&content));
    assert!(!desk.get("/systems/forms").await.text().contains("A cache for cold definitions."));
    let before = content.snapshot();

    edit(folder.path(), "systems/forms.md", "A cache for hot definitions.", "A cache for cold definitions.");
    until(&content, |c| c.version() != before.version).await;

    assert!(desk.get("/systems/forms").await.text().contains("A cache for cold definitions."));
    let after = content.snapshot();
    let passage = after.passages.iter().find(|p| p.id == "systems.forms.scalability").unwrap();
    assert!(passage.body.contains("cold definitions"));
}

#[tokio::test]
async fn a_broken_file_leaves_the_last_good_version() {
    let folder = tempfile::tempdir().unwrap();
    copy_sample(folder.path());
    let content = SiteContent::open(Some(folder.path().into()), "").unwrap();
    let desk = Desk::on(Arc::clone(&content));
    let before = content.snapshot();

    edit(folder.path(), "systems/forms.md", "order = 1", "order = \"first\"");
    let errors = content.reload().unwrap_err();
    assert!(errors.to_string().starts_with("systems/forms.md:4: "), "{errors}");
    assert!(Arc::ptr_eq(&before, &content.snapshot()));
    assert_eq!(desk.get("/systems/forms").await.status, 200);

    edit(folder.path(), "systems/forms.md", "order = \"first\"", "order = 9");
    assert_eq!(content.reload(), Ok(true));
    assert_eq!(content.reload(), Ok(false), "nothing changed since");
    assert!(!Arc::ptr_eq(&before, &content.snapshot()));
}

#[tokio::test]
async fn a_theme_replaces_a_template_and_adds_a_style() {
    let folder = tempfile::tempdir().unwrap();
    copy_sample(folder.path());
    fs::create_dir_all(folder.path().join("theme/templates")).unwrap();
    let notes = "{% extends \"base.html\" %}{% block main %}<h1>My own notes</h1>{% endblock %}";
    fs::write(folder.path().join("theme/templates/notes.html"), notes).unwrap();
    fs::write(folder.path().join("theme/theme.css"), ":root { --marker: pink; }").unwrap();
    let desk = Desk::on(SiteContent::open(Some(folder.path().into()), "").unwrap());
    let page = desk.get("/notes").await.text();
    assert!(page.contains("<h1>My own notes</h1>") && page.contains("/assets/site/theme-"), "{page}");
    let style = plinth_site::html::attribute_values(&page, "href")
        .into_iter()
        .find(|h| h.contains("theme-"))
        .unwrap();
    assert!(desk.get(style).await.text().contains("pink"));
}
