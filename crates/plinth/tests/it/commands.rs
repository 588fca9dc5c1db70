//! The commands, and what a start promises.

use crate::support::{Home, bare, contact_values, on_both_engines, set_up};
use plinth_testkit::{Engine, eventually};
use serde_json::Value;
use std::{path::PathBuf, time::Instant};

on_both_engines! {
    /// An empty folder, one command: site, console, API and contract answer.
    async fn a_cold_start_serves_its_first_request(home: Home) {
        let began = Instant::now();
        let server = home.start();
        let client = server.client();
        for (path, kind) in [("/", "text/html"), ("/console/", "text/html"), ("/docs", "text/html"),
            ("/openapi.json", "application/json"), ("/healthz", ""), ("/readyz", "")] {
            let answer = client.get(path).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            assert!(answer.header("content-type").starts_with(kind), "{path}: {}", answer.header("content-type"));
        }
        println!("first answers after {:?}", began.elapsed());
        server.stop();
    }

    /// The link works once; a second start of a fresh installation prints another.
    async fn the_first_run_link_makes_one_owner(home: Home) {
        let server = home.start();
        assert_eq!(server.client().get("/v1/setup").await.expect(200)["needed"], true);
        server.stop();

        let server = home.start();
        let link = server.line("Set up");
        let token = link.rsplit('=').next().unwrap().to_owned();
        let body = serde_json::json!({"token": token, "email": "owner@example.org",
            "password": "correct horse battery", "name": "Grace", "organisation": "Engines"});
        server.client().post("/v1/setup", &body).await.expect(201);
        let again = server.client().post("/v1/setup", &body).await;
        assert_eq!((again.status, again.problem().as_str()), (401, "token_invalid"));
        assert_eq!(server.client().get("/v1/setup").await.expect(200)["needed"], false);
        server.stop();
    }

    /// What a script reads is what a script needs.
    async fn key_create_prints_the_key_alone_and_the_key_works(home: Home) {
        let (live, test) = home.organisation("Analytical Engines");
        let (key, test_key) = (home.run(&["key", "create"]), home.run(&["key", "create", "--test"]));
        for (printed, prefix) in [(&key, "plk_live_"), (&test_key, "plk_test_")] {
            assert!(printed.starts_with(prefix) && printed.ends_with('\n'), "{printed:?}");
            assert_eq!(printed.split_whitespace().count(), 1, "{printed:?}");
        }
        let server = home.start();
        let me = server.client().bearer(key.trim()).get("/v1/me").await.expect(200);
        assert_eq!((me["tenant_id"].as_str(), me["mode"].as_str()), (Some(live.as_str()), Some("live")));
        let me = server.client().bearer(test_key.trim()).get("/v1/me").await.expect(200);
        assert_eq!((me["tenant_id"].as_str(), me["mode"].as_str()), (Some(test.as_str()), Some("test")));
        server.stop();
    }

    /// A backup is taken of a server that works on, and is the whole of it: rows, keys, sessions, mails.
    async fn a_backup_of_a_serving_server_restores_to_the_same_data(home: Home) {
        let (live, _) = home.organisation("Analytical Engines");
        let key = home.key(&live);
        let server = home.start();
        let cookie = set_up(&server).await;
        let client = server.client().bearer(&key);
        for name in ["Ada", "Charles"] {
            client.post("/v1/forms/ext:contact/submissions", &contact_values(name)).await.expect(201);
        }
        eventually("two mails in the outbox", || async {
            (client.list("/v1/mails").await.len() == 2).then_some(())
        }).await;
        let before = picture(&client).await;

        let copy = home.folder().join("copy");
        home.run(&["backup", copy.to_str().unwrap()]);
        client.post("/v1/forms/ext:contact/submissions", &contact_values("Too late")).await.expect(201);
        server.stop();

        let other = Home::new(if home.database_url().is_some() { Engine::Postgres } else { Engine::Sqlite });
        other.run(&["restore", copy.to_str().unwrap()]);
        let server = other.start();
        assert_eq!(picture(&server.client().bearer(&key)).await, before);
        let session = server.client().cookie(&cookie).get("/v1/session").await.expect(200);
        assert_eq!(session["member"]["email"], "owner@example.org");
        let mail = server.client().bearer(&key).list("/v1/mails").await[0]["id"].as_str().unwrap().to_owned();
        let mail = server.client().bearer(&key).get(&format!("/v1/mails/{mail}")).await.expect(200);
        assert!(mail["raw"].as_str().is_some_and(|raw| raw.contains("Subject:")), "{mail}");
        server.stop();

        // Into a place that is in use nothing is restored.
        let refused = other.output(&["restore", copy.to_str().unwrap()]);
        assert!(!refused.status.success(), "a restore over existing data must be refused");
    }
}

/// What a tenant has, without what a look at it changes.
async fn picture(client: &crate::support::Client) -> Value {
    let mut all = serde_json::Map::new();
    for path in ["forms", "submissions", "workflows", "notifications", "mails", "members", "tenants"] {
        all.insert(path.to_owned(), client.list(&format!("/v1/{path}")).await.into());
    }
    all.into()
}

#[test]
fn the_committed_contract_is_the_one_that_is_served() {
    let home = Home::new(Engine::Sqlite);
    let printed = home.run(&["openapi"]);
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let committed = std::fs::read_to_string(root.join("docs/openapi.json")).unwrap_or_default();
    assert!(
        printed == committed,
        "docs/openapi.json is not what the code declares: run `make openapi` and commit it"
    );
    let served = plinth_testkit::run(async {
        let server = home.start();
        let served = server.client().get("/openapi.json").await.expect(200);
        server.stop();
        served
    });
    assert_eq!(served, serde_json::from_str::<Value>(&printed).unwrap());
}

#[test]
fn a_wrong_setting_is_named_with_where_it_came_from() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong.toml");
    std::fs::write(&file, "[server]\nlisten = \"127.0.0.1:0\"\n[mail]\nform = \"x\"\n").unwrap();
    let file = file.to_str().unwrap();
    /// Arguments, environment, and what the complaint must name.
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a [&'a str]);
    let cases: &[Case<'_>] = &[
        (&["serve", "--config", file], &[], &["wrong.toml", "mail", "form", "Did you mean `from`?"]),
        (&["serve"], &[("PLINTH_SERVER__LISTN", "x")], &["PLINTH_SERVER__LISTN", "Did you mean `listen`?"]),
        (&["serve"], &[("PLINTH_SERVER__LISTEN", "nowhere")], &["PLINTH_SERVER__LISTEN", "server.listen"]),
        (&["serve"], &[("PLINTH_SERVER__TLS_CERT", "cert.pem")], &["server.tls_key"]),
        (&["serve"], &[("PLINTH_SERVER__PUBLIC_URL", "example.org")], &["server.public_url"]),
        (
            &["serve"],
            &[("PLINTH_SERVER__TRUSTED_PROXIES", "[\"10.0.0.0/99\"]")],
            &["server.trusted_proxies", "10.0.0.0/99"],
        ),
        (&["serve", "--database", "mysql://x/y"], &[], &["database.url"]),
        (&["serve", "--config", "absent.toml"], &[], &["absent.toml"]),
        (&["serve"], &[("PLINTH_MASTER_KEY", "short")], &["PLINTH_MASTER_KEY"]),
        (
            &["serve"],
            &[("PLINTH_MAIL__SMTP__USERNAME", "u"), ("PLINTH_MAIL__SMTP__HOST", "mail.example")],
            &["password_file"],
        ),
    ];
    for (arguments, environment, named) in cases {
        let mut command = bare(folder.path(), arguments);
        let output = command.envs(environment.iter().copied()).output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?} {environment:?}: {complaint}");
        for name in *named {
            assert!(
                complaint.contains(name),
                "{arguments:?} {environment:?} does not name {name}: {complaint}"
            );
        }
    }
}
