use plinth_assistant::evaluation::{EvaluationQuestion, evaluate};
use plinth_assistant::model::index::Index;
use plinth_kernel::ports::ContentSnapshot;
use std::sync::Arc;

#[test]
fn probe() {
    let Ok(path) = std::env::var("PROBE") else { return };
    let snapshot: ContentSnapshot = serde_json::from_str(
        &std::fs::read_to_string(std::env::var("SNAP").unwrap_or("/tmp/plinth/snapshot.json".into()))
            .unwrap(),
    )
    .unwrap();
    let index = Index::new(Arc::new(snapshot));
    let questions: Vec<EvaluationQuestion> =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let report = evaluate(&index, &questions);
    for o in &report.outcomes {
        let bad = !o.right || o.rank.is_some_and(|r| r > 3);
        if bad || std::env::var("ALL").is_ok() {
            println!(
                "{} {:?} cov {:.2?} rank {:?}\n  Q {}\n  A {}\n  F {:?}",
                if bad { "BAD" } else { "ok " },
                o.kind,
                o.coverage,
                o.rank,
                o.q,
                o.text,
                &o.found[..o.found.len().min(4)]
            );
        }
    }
    println!(
        "n {}+{} recall {:.3} right {:.3} refusals {:.3} false {:.3} p50 {}us p95 {}us",
        report.answerable,
        report.unanswerable,
        report.recall_at_3,
        report.right,
        report.refusals,
        report.false_refusals,
        report.micros_p50,
        report.micros_p95
    );
}

#[derive(serde::Deserialize)]
struct Set {
    question: Vec<EvaluationQuestion>,
}

#[test]
fn own() {
    let set: Set = toml::from_str(include_str!("../questions.toml")).unwrap();
    std::fs::write("/tmp/plinth/own.json", serde_json::to_string(&set.question).unwrap()).unwrap();
}
