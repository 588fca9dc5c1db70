//! The process is killed, again and again, while forms are handed in. Whoever got no answer sends the same request
//! with the same key once more; in the end everything is there exactly once.

use crate::support::{Client, contact_values, on_both_engines, set_up};
use plinth_testkit::{eventually, kill};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

/// Kills of the ordinary run; the long one sets `PLINTH_KILLS`.
const KILLS: u32 = 5;
/// People who hand in forms at the same time.
const SENDERS: u32 = 4;

/// Submission ids by the name in them, as the answers told.
type Acknowledged = Arc<Mutex<BTreeMap<String, String>>>;

/// Hands in form after form until the server dies, and returns the one that got no answer.
async fn send_until_killed(
    client: Client,
    next: Arc<AtomicU32>,
    known: Acknowledged,
    again: Option<u32>,
) -> u32 {
    let mut number = again.unwrap_or_else(|| next.fetch_add(1, Ordering::Relaxed));
    loop {
        let name = format!("Sender {number:05}");
        let request = client
            .request("POST".parse().unwrap(), "/v1/forms/ext:contact/submissions")
            .header("idempotency-key", format!("crash-{number}"))
            .json(&contact_values(&name));
        match client.try_send(request).await {
            Some(answer) if answer.status == 201 => {
                let id = answer.json()["id"].as_str().unwrap().to_owned();
                known.lock().unwrap().insert(name, id);
                number = next.fetch_add(1, Ordering::Relaxed);
            }
            Some(answer) if answer.status < 500 => panic!("{}", answer.text()),
            _ => return number,
        }
    }
}

on_both_engines! {
    async fn nothing_is_lost_or_done_twice_when_the_process_is_killed(home: Home) {
        let (live, _) = home.organisation("Engines");
        let key = home.key(&live);
        let kills = if std::env::var_os(kill::KILLS_ENV).is_some() { kill::kills() } else { KILLS };
        let (next, known) = (Arc::new(AtomicU32::new(0)), Acknowledged::default());
        let mut unanswered: Vec<Option<u32>> = vec![None; SENDERS as usize];
        let mut cookie = String::new();
        for round in 0..kills {
            let server = home.start();
            if round == 0 {
                cookie = set_up(&server).await;
            }
            let senders: Vec<_> = unanswered
                .iter()
                .map(|again| {
                    let client = server.client().bearer(&key);
                    tokio::spawn(send_until_killed(client, next.clone(), known.clone(), *again))
                })
                .collect();
            // From the first acknowledged form of this round on, any moment will do.
            let before = known.lock().unwrap().len();
            eventually("a form is acknowledged", || async { (known.lock().unwrap().len() > before).then_some(()) }).await;
            tokio::time::sleep(Duration::from_millis(40 + 67 * u64::from(round) % 400)).await;
            server.kill();
            unanswered.clear();
            for sender in senders {
                unanswered.push(Some(sender.await.unwrap()));
            }
        }

        let server = home.start();
        let client = server.client().bearer(&key);
        for number in unanswered.into_iter().flatten() {
            let name = format!("Sender {number:05}");
            let request = client
                .request("POST".parse().unwrap(), "/v1/forms/ext:contact/submissions")
                .header("idempotency-key", format!("crash-{number}"))
                .json(&contact_values(&name));
            let answer = client.send(request).await.expect(201);
            known.lock().unwrap().insert(name, answer["id"].as_str().unwrap().to_owned());
        }
        let known = known.lock().unwrap().clone();

        let mut found = BTreeMap::new();
        for row in client.list("/v1/submissions").await {
            let name = row["values"]["name"].as_str().unwrap().to_owned();
            let twice = found.insert(name.clone(), row["id"].as_str().unwrap().to_owned());
            assert!(twice.is_none(), "{name} was handed in twice");
        }
        assert_eq!(found, known, "what was acknowledged is what is there");

        let total = known.len();
        let delivered = |row: &Value| row["state"] == "sent";
        eventually("every notification is delivered", || async {
            let notifications = client.list("/v1/notifications").await;
            assert!(notifications.len() <= 2 * total, "{} notifications for {total} forms", notifications.len());
            // A mail whose sending was cut off twice may have left twice: it is a dead letter, and a person decides.
            client.post("/v1/jobs/replay-dead", &json!({})).await.expect(202);
            (notifications.len() == 2 * total && notifications.iter().all(delivered)).then_some(())
        }).await;
        let inbox = server.client().cookie(&cookie).list("/v1/inbox").await;
        let mut titles: Vec<_> = inbox.iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect();
        titles.sort();
        let expected: Vec<_> = known.keys().map(|name| format!("{name} wrote through Contact")).collect();
        assert_eq!(titles, expected, "the inbox has each message once");
        let mails = client.list("/v1/mails").await;
        assert_eq!(mails.len(), total, "one mail each");
        println!("{kills} kills, {total} forms");
        server.stop();
    }
}
