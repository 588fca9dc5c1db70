//! What documents and alerts say about metrics, held against what is served.

use crate::support::Home;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file with one of these endings in a folder.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.to_string_lossy().ends_with(ending)).collect()
}

/// The words of a text that may be names of metrics, with the place of the first occurrence.
fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).collect()
}

/// The names that a scrape offers: each family, and each sample.
fn served(scrape: &str) -> BTreeMap<&str, &str> {
    let mut names = BTreeMap::new();
    let mut family = "";
    for line in scrape.lines() {
        match line.strip_prefix("# TYPE ") {
            Some(described) => {
                (family, _) = described.split_once(' ').unwrap();
                names.insert(family, family);
            }
            None if line.starts_with('#') => {}
            None => {
                names.insert(line.split(['{', ' ']).next().unwrap(), family);
            }
        }
    }
    names
}

const PREFIX: &str = "plinth_";
/// Names that begin like a metric and are none: crates, databases, files.
const NO_METRICS: [&str; 6] =
    ["plinth_api", "plinth_data", "plinth_flow", "plinth_session", "plinth_store", "plinth_visitor"];

/// The metrics that documents and alerts name, with one of the files that do.
fn named() -> BTreeMap<String, PathBuf> {
    let mut named = BTreeMap::new();
    let folders = [("docs/runbooks", ".md"), ("docs/guides", ".md"), ("deploy/prometheus", ".yml")];
    for document in folders.iter().flat_map(|(folder, ending)| files(folder, ending)) {
        let text = std::fs::read_to_string(&document).unwrap();
        let metrics =
            words(&text).into_iter().filter(|word| word.len() > PREFIX.len() && word.starts_with(PREFIX));
        for name in metrics.filter(|name| !NO_METRICS.contains(name)) {
            named.insert(name.to_owned(), document.clone());
        }
    }
    // The guide's table leaves out the prefix, and the ending of counters.
    let guide = root().join("docs/guides/operations.md");
    let text = std::fs::read_to_string(&guide).unwrap();
    let table = text.split_once("## Metrics").unwrap().1.split("\n## ").next().unwrap();
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        for name in row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2) {
            named.insert(format!("{PREFIX}{name}"), guide.clone());
        }
    }
    named
}

#[test]
fn every_metric_that_documents_and_alerts_name_is_served_and_the_other_way_round() {
    plinth_testkit::run(async {
        let home = Home::new(plinth_testkit::Engine::Sqlite);
        // Nobody listens there; the metrics of the export exist all the same.
        let server = home.start_with(&[], &[("PLINTH_TELEMETRY__OTLP_ENDPOINT", "http://127.0.0.1:9")]);
        let client = server.client();
        // One request, so that there is something to count.
        client.get("/v1/forms").await;
        let scrape = client.get("/metrics").await.text();
        let (served, named) = (served(&scrape), named());
        assert!(named.len() > 30, "the documents have been read: {named:?}");
        for (name, document) in &named {
            let is_served = served.contains_key(name.as_str());
            assert!(is_served, "{} names {name}, which is not served", document.display());
        }
        for family in served.values() {
            assert!(named.contains_key(*family), "docs/guides/operations.md does not name {family}");
        }
        server.stop();
    });
}

#[test]
fn alerts_count_from_the_first_increment() {
    plinth_testkit::run(async {
        let home = Home::new(plinth_testkit::Engine::Sqlite);
        let server = home.start();
        let scrape = server.client().get("/metrics").await.text();
        for sample in [
            "plinth_http_panics_total 0",
            "plinth_http_shed_total{class=\"write\"} 0",
            "plinth_store_commits_failed_total 0",
            "plinth_request_log_dropped_total 0",
            "plinth_build_info{version=",
        ] {
            assert!(scrape.contains(&format!("\n{sample}")), "{sample} is not in\n{scrape}");
        }
        server.stop();
    });
}
