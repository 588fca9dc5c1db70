//! `plinth migrate`, `backup`, `restore`, `openapi`, `site` and `assistant`.

use crate::{app, config::Config};
use plinth_assistant::{evaluation, model::index::Index};
use plinth_kernel::{World, ports::ContentSource};
use plinth_site::SiteContent;
use plinth_store::Store;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Brings the database up to date.
pub async fn migrate(config: &Config) -> Result<(), String> {
    let store = app::open_store(config).await?;
    let versions = store.schema_versions().await.map_err(|error| error.to_string())?;
    store.close().await;
    versions.iter().for_each(|(system, version)| println!("{system} {version}"));
    Ok(())
}

/// Copies the database while it is in use.
pub async fn backup(config: &Config, to: &Path, json: bool) -> Result<(), String> {
    let manifest = Store::backup_beside(config.store()?, World::system(), to)
        .await
        .map_err(|error| error.to_string())?;
    let key = config.data.dir.join("master.key");
    if key.is_file() {
        copy_private(&key, &to.join("master.key"))?;
    }
    let outbox = config.data.dir.join("outbox");
    if outbox.is_dir() {
        copy_folder(&outbox, &to.join("outbox"))?;
    }
    if json {
        println!("{}", serde_json::to_string(&manifest).map_err(|error| error.to_string())?);
    } else {
        println!("{} bytes, checked, in {}", manifest.bytes, to.display());
    }
    Ok(())
}

/// Puts a backup into an empty place.
pub async fn restore(config: &Config, from: &Path, json: bool) -> Result<(), String> {
    std::fs::create_dir_all(&config.data.dir).map_err(|error| error.to_string())?;
    let manifest = Store::restore(from, &config.store()?).await.map_err(|error| error.to_string())?;
    let key = from.join("master.key");
    if key.is_file() {
        copy_private(&key, &config.data.dir.join("master.key"))?;
    }
    let outbox = from.join("outbox");
    if outbox.is_dir() {
        copy_folder(&outbox, &config.data.dir.join("outbox"))?;
    }
    if json {
        println!("{}", serde_json::to_string(&manifest).map_err(|error| error.to_string())?);
    } else {
        println!("restored what was saved at {}", manifest.created_at);
    }
    Ok(())
}

/// A copy that only its owner may read.
fn copy_private(from: &Path, to: &Path) -> Result<(), String> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let told = |error: std::io::Error| format!("{}: {error}", to.display());
    let bytes = std::fs::read(from).map_err(|error| format!("{}: {error}", from.display()))?;
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(told)?;
    file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(told)
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{}: {error}", from.display());
    std::fs::create_dir_all(to).map_err(told)?;
    for entry in std::fs::read_dir(from).map_err(told)? {
        let path = entry.map_err(told)?.path();
        // Half-written mails have another ending.
        if path.extension().is_some_and(|ending| ending == "eml")
            && let Some(name) = path.file_name()
        {
            std::fs::copy(&path, to.join(name)).map_err(told)?;
        }
    }
    Ok(())
}

/// Prints the contract.
pub async fn openapi() -> Result<(), String> {
    let document = app::document().await?;
    println!("{}", document.to_pretty_json().map_err(|error| error.to_string())?);
    Ok(())
}

fn content(config: &Config, folder: Option<PathBuf>) -> Result<std::sync::Arc<SiteContent>, String> {
    let folder = folder.or_else(|| config.site.content.clone()).or_else(SiteContent::discover);
    SiteContent::open(folder, env!("CARGO_PKG_VERSION")).map_err(|faults| faults.to_string())
}

/// Renders every page and follows every link.
pub fn check_site(config: &Config, folder: Option<PathBuf>) -> Result<(), String> {
    let content = content(config, folder)?;
    let faults = content.check();
    if faults.is_empty() {
        println!("{} pages, no fault", content.paths().len());
        return Ok(());
    }
    faults.iter().for_each(|fault| println!("{fault}"));
    Err(format!("{} faults", faults.len()))
}

#[derive(Deserialize)]
struct QuestionFile {
    question: Vec<evaluation::EvaluationQuestion>,
}

/// Asks a set of questions.
pub fn evaluate(config: &Config, questions: &Path, json: bool) -> Result<(), String> {
    let text =
        std::fs::read_to_string(questions).map_err(|error| format!("{}: {error}", questions.display()))?;
    let questions = read_questions(&text).map_err(|error| format!("{}: {error}", questions.display()))?;
    let index = Index::new(content(config, None)?.snapshot());
    let report = evaluation::evaluate(&index, &questions);
    if json {
        println!("{}", serde_json::to_string(&report).map_err(|error| error.to_string())?);
        return Ok(());
    }
    println!("answerable         {}", report.answerable);
    println!("  right            {:.3}", report.right);
    println!("  refused          {:.3}", report.false_refusals);
    println!("unanswerable       {}", report.unanswerable);
    println!("  refused          {:.3}", report.refusals);
    println!("recall at 3        {:.3}", report.recall_at_3);
    println!("time, p50 / p95    {} / {} µs", report.micros_p50, report.micros_p95);
    Ok(())
}

/// TOML with `[[question]]` tables, or one JSON object a line.
fn read_questions(text: &str) -> Result<Vec<evaluation::EvaluationQuestion>, String> {
    if text.trim_start().starts_with('{') {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        return lines
            .map(|(n, line)| serde_json::from_str(line).map_err(|error| format!("line {}: {error}", n + 1)))
            .collect();
    }
    let file: QuestionFile = toml::from_str(text).map_err(|error| error.to_string())?;
    Ok(file.question)
}
