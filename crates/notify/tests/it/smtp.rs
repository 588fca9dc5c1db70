//! E-mail against a real SMTP server process.

use crate::rig::{Rig, member};
use http::Method;
use plinth_notify::channels::{SmtpSettings, SmtpTls};
use plinth_testkit::{both_engines, eventually};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

struct Server {
    process: Child,
    port: u16,
    messages: mpsc::Receiver<Value>,
    certificate: String,
}

impl Server {
    /// `None`, and a word about it, unless the tests with foreign programs are on.
    fn start() -> Option<Self> {
        if std::env::var_os("PLINTH_CLIENT_TESTS").is_none() {
            eprintln!("skipped: set PLINTH_CLIENT_TESTS=1 to run against a real SMTP server");
            return None;
        }
        let here = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/smtp");
        static INSTALL: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
        let work = INSTALL.get_or_init(|| {
            let output = Command::new(here.join("install.sh")).output().expect("the installer runs");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
        });
        let mut process = Command::new(work.join("venv/bin/python"))
            .arg(here.join("server.py"))
            .args([work.join("cert.pem"), work.join("key.pem")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.next().unwrap().unwrap().trim_start_matches("PORT ").parse().unwrap();
        let (send, messages) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = send.send(serde_json::from_str(&line).unwrap());
            }
        });
        let certificate = std::fs::read_to_string(work.join("cert.pem")).unwrap();
        Some(Self { process, port, messages, certificate })
    }

    fn settings(&self) -> SmtpSettings {
        SmtpSettings {
            host: "localhost".into(),
            port: self.port,
            tls: SmtpTls::StartTls,
            credentials: None,
            extra_root_pem: Some(self.certificate.clone()),
            timeout: Duration::from_secs(10),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

both_engines! {
    async fn a_mail_arrives_encrypted_and_whole(store: TestStore) {
        let Some(server) = Server::start() else { return };
        let rig = Rig::with_smtp(&store, vec![member(1)], Some(server.settings())).await;
        let flow = rig.start().await;
        rig.contact_message("Ada", "Grüße aus Wien, hello!").await;
        let message = server.messages.recv_timeout(Duration::from_secs(20)).expect("a message arrives");
        assert_eq!((&message["tls"], &message["to"][0]), (&true.into(), &"m1@example.org".into()));
        let data = message["data"].as_str().unwrap();
        assert!(data.contains("Subject: New message from Ada") && data.contains("multipart/alternative"), "{data}");
        eventually("it is recorded as sent", || async {
            (rig.notification("email").await["state"] == "sent").then_some(())
        }).await;
        assert_eq!(rig.notification("email").await["provider"], "localhost");
        flow.shutdown(Duration::from_secs(5)).await.unwrap();
    }

    async fn a_temporary_refusal_is_retried_with_the_same_message(store: TestStore) {
        let Some(server) = Server::start() else { return };
        let mut busy = member(1);
        busy.email = "busy@example.org".into();
        let rig = Rig::with_smtp(&store, vec![busy], Some(server.settings())).await;
        let flow = rig.start().await;
        rig.contact_message("Ada", "You may be busy, I can wait.").await;
        let message = server.messages.recv_timeout(Duration::from_secs(60)).expect("the second attempt arrives");
        let detail = eventually("it is recorded as sent", || async {
            let detail = rig.notification("email").await;
            (detail["state"] == "sent").then_some(detail)
        }).await;
        let outcomes: Vec<_> = detail["attempts"].as_array().unwrap().iter().map(|a| a["outcome"].as_str().unwrap().to_owned()).collect();
        assert_eq!(outcomes, ["retry", "done"], "{detail}");
        assert!(message["data"].as_str().unwrap().contains(detail["id"].as_str().unwrap()), "the Message-ID is the notification's");
        flow.shutdown(Duration::from_secs(5)).await.unwrap();
    }

    async fn a_permanent_refusal_is_a_dead_letter_that_can_be_replayed(store: TestStore) {
        let Some(server) = Server::start() else { return };
        let mut gone = member(1);
        gone.email = "gone@example.org".into();
        let rig = Rig::with_smtp(&store, vec![gone], Some(server.settings())).await;
        let flow = rig.start().await;
        rig.contact_message("Ada", "Is this mailbox still there?").await;
        let detail = eventually("it is given up", || async {
            let detail = rig.notification("email").await;
            (detail["state"] == "failed").then_some(detail)
        }).await;
        assert_eq!((detail["job_state"].as_str(), detail["attempts"].as_array().unwrap().len()), (Some("dead"), 1));
        assert!(detail["last_error"].as_str().unwrap().contains("550"), "{detail}");
        let uri = format!("/v1/notifications/{}/replay", detail["id"].as_str().unwrap());
        assert_eq!(rig.server.json(Method::POST, &uri, &[], &Value::Null).await.status, 202);
        eventually("it was tried again", || async {
            let detail = rig.notification("email").await;
            (detail["attempts"].as_array().unwrap().len() == 2 && detail["state"] == "failed").then_some(())
        }).await;
        flow.shutdown(Duration::from_secs(5)).await.unwrap();
    }
}
