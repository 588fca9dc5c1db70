//! A real small language model behind a real streaming server (`tests/upstream/`). It takes minutes and a download, so it
//! runs only when asked for: `PLINTH_CLIENT_TESTS=1`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use plinth_assistant::Settings;
use plinth_assistant::model::generation::GenEvent;
use plinth_assistant::model::prompt::Prompt;
use plinth_assistant::provider::{GenRequest, OpenAiCompat, Provider};
use plinth_testkit::{Engine, TestStore};
use serde_json::json;

use crate::support::{app_with, ask};

struct Model {
    process: Child,
    provider: Arc<dyn Provider>,
}

impl Drop for Model {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn start() -> Model {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/upstream/run.sh");
    let mut process = Command::new(script).stdout(Stdio::piped()).spawn().expect("the upstream starts");
    let mut port = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let url = format!("http://127.0.0.1:{}/v1", port.trim());
    let settings =
        serde_json::from_value(json!({"base_url": url, "model": "smollm2", "output_tokens_max": 96}))
            .unwrap();
    // A shared box reads a prompt of a thousand tokens at leisure.
    let patience = Duration::from_secs(240);
    let provider = OpenAiCompat::new(settings).unwrap().with_waits(patience, patience, patience);
    Model { process, provider: Arc::new(provider) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_model_answers_behind_the_guard() {
    if std::env::var_os("PLINTH_CLIENT_TESTS").is_none() {
        return;
    }
    let model = tokio::task::spawn_blocking(start).await.unwrap();

    let prompt = Prompt { system: "You are brief.".into(), user: "Say hello to the reader.".into() };
    let stream = model.provider.stream(GenRequest { prompt, output_tokens_max: 24 }).await.unwrap();
    let events: Vec<GenEvent> = stream.map(|event| event.expect("a whole generation")).collect().await;
    assert!(events.iter().any(|event| matches!(event, GenEvent::Delta(_))));
    assert!(events.iter().any(|event| matches!(event, GenEvent::Finished(_))));

    let store = TestStore::builder(Engine::Sqlite).open().await;
    let app = app_with(&store, Settings::default(), Some(model.provider.clone())).await;
    let answer = ask(&app.visitor, json!({"message": "How is the notification system built?"})).await;
    assert_eq!(answer.parts[0]["messageMetadata"]["provider"], "openai_compat");
    assert_ne!(answer.finish()["finishReason"], "error");
    // A model of this size invents figures; none may be shown that the content does not hold.
    let content = crate::support::sample();
    let evidence: String = content
        .passages
        .iter()
        .map(|passage| format!("{} {}\n", passage.path.join(" "), passage.body))
        .collect();
    let text = answer.text();
    println!("{text}");
    let shown = text.split(|c: char| !c.is_ascii_digit()).filter(|number| number.len() > 1);
    for number in shown {
        assert!(evidence.contains(number), "{number} is made up: {text}");
    }
}
