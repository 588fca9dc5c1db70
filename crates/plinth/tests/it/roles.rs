//! Two processes on one database: one answers, the other works.

use crate::support::{Home, Server, contact_values, set_up};
use plinth_testkit::{Engine, eventually};

#[test]
fn an_api_and_a_worker_do_the_contact_path_together() {
    plinth_testkit::run(async {
        let home = Home::new(Engine::Postgres);
        let (live, _) = home.organisation("Engines");
        let key = home.key(&live);
        let api = home.start_with(&["--role", "api"], &[]);
        let cookie = set_up(&api).await;
        let client = api.client().bearer(&key);
        let submission =
            client.post("/v1/forms/ext:contact/submissions", &contact_values("Ada")).await.expect(201);
        let trace = submission["trace_id"].as_str().unwrap();

        // Nobody works yet: what is to be done is on record, and waits.
        assert_eq!(client.list("/v1/events?type=forms.submission.completed").await.len(), 1);
        assert_eq!(client.list("/v1/notifications").await.len(), 0);

        let mut worker =
            Server::spawn(home.command(&["serve", "--role", "worker"]), home.folder().join("worker-log"));
        eventually("the mail and the message are delivered", || async {
            let notifications = client.list("/v1/notifications").await;
            (notifications.len() == 2 && notifications.iter().all(|row| row["state"] == "sent")).then_some(())
        })
        .await;
        let inbox = api.client().cookie(&cookie).list("/v1/inbox").await;
        assert_eq!(inbox.len(), 1);

        // One trace over both processes.
        let kinds = ["request", "event", "consumer", "job", "attempt"];
        eventually("the trace is whole", || async {
            let answer = client.get(&format!("/v1/traces/{trace}")).await;
            if answer.status != 200 {
                return None;
            }
            let spans = answer.json()["spans"].as_array().unwrap().clone();
            kinds.iter().all(|kind| spans.iter().any(|span| span["kind"] == *kind)).then_some(())
        })
        .await;

        worker.terminate();
        let ended = worker.wait();
        assert!(ended.success(), "{ended}: {}", worker.log());
        api.stop();
    });
}
