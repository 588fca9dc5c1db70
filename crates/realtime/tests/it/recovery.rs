//! Coming back without a gap, or being told that there is one.

use serde_json::{Value, json};

use crate::support::{Client, Server, eventually};

fn numbers(publications: &Value) -> Vec<u64> {
    publications
        .as_array()
        .map(|all| all.iter().map(|one| one["offset"].as_u64().unwrap()).collect())
        .unwrap_or_default()
}

async fn recover(client: &mut Client, channel: &str, epoch: &str, offset: u64, flag: u32) -> Value {
    let request =
        json!({"channel": channel, "recover": true, "epoch": epoch, "offset": offset, "flag": flag});
    client.ask(json!({"subscribe": request})).await
}

/// The epoch of a channel in which this many publications were made.
async fn published(server: &Server, channel: &str, count: u64) -> String {
    let mut first = server.user("").await;
    let epoch = first.subscribe(channel).await["subscribe"]["epoch"].as_str().unwrap().to_owned();
    (1..=count).for_each(|number| server.publish(channel, json!(number)));
    epoch
}

#[tokio::test]
async fn what_was_missed_comes_with_the_reply() {
    let server = Server::start().await;
    let epoch = published(&server, "feed:a", 5).await;
    let mut client = server.user("u").await;
    let reply = recover(&mut client, "feed:a", &epoch, 2, 0).await;
    let result = &reply["subscribe"];
    assert_eq!((&result["recovered"], &result["was_recovering"]), (&json!(true), &json!(true)));
    assert_eq!(result["offset"], 2, "the position recovered from");
    assert_eq!(numbers(&result["publications"]), [3, 4, 5]);
    assert_eq!(result["publications"][0]["data"], 3);
    server.publish("feed:a", json!(6));
    assert_eq!(client.publication().await["offset"], 6);
}

#[tokio::test]
async fn who_missed_nothing_is_recovered_and_an_empty_epoch_matches_any() {
    let server = Server::start().await;
    published(&server, "feed:a", 3).await;
    let mut client = server.user("u").await;
    let reply = recover(&mut client, "feed:a", "", 3, 0).await;
    assert_eq!(reply["subscribe"]["recovered"], true);
    assert!(reply["subscribe"].get("publications").is_none());
    assert_eq!(server.hub.stats().recoveries, 1);
}

#[tokio::test]
async fn what_is_no_longer_kept_is_not_recovered() {
    let server = Server::start().await;
    let epoch = published(&server, "small:a", 5).await;
    let mut client = server.user("u").await;
    let hit = recover(&mut client, "small:a", &epoch, 3, 0).await;
    assert_eq!(numbers(&hit["subscribe"]["publications"]), [4, 5]);
    let mut client = server.user("u").await;
    let miss = recover(&mut client, "small:a", &epoch, 2, 0).await;
    let result = &miss["subscribe"];
    assert_eq!((result.get("recovered"), &result["was_recovering"]), (None, &json!(true)));
    assert_eq!(
        (&result["offset"], result.get("publications")),
        (&json!(5), None),
        "the top, and nothing else"
    );
    assert_eq!(server.hub.stats().recoveries_failed, 1);
}

#[tokio::test]
async fn a_position_of_another_epoch_or_of_the_future_is_not_recovered() {
    let server = Server::start().await;
    let epoch = published(&server, "feed:a", 5).await;
    for (epoch, offset) in [("other", 5), (epoch.as_str(), 6)] {
        let mut client = server.user("u").await;
        let reply = recover(&mut client, "feed:a", epoch, offset, 0).await;
        assert!(reply["subscribe"].get("recovered").is_none(), "{reply}");
        assert_eq!(reply["subscribe"]["offset"], 5);
    }
}

#[tokio::test]
async fn all_or_nothing_is_an_error_when_it_is_nothing() {
    let server = Server::start().await;
    let epoch = published(&server, "small:a", 5).await;
    let mut client = server.user("u").await;
    let refused = recover(&mut client, "small:a", &epoch, 1, 2).await;
    assert_eq!(refused["error"]["code"], 112);
    server.publish("small:a", json!("unheard"));
    client.assert_silent().await;
    let reply = recover(&mut client, "small:a", &epoch, 5, 2).await;
    assert_eq!(numbers(&reply["subscribe"]["publications"]), [6]);
}

#[tokio::test]
async fn a_channel_without_history_recovers_nothing() {
    let server = Server::start().await;
    let mut client = server.user("u").await;
    let reply = recover(&mut client, "live:a", "", 0, 0).await;
    assert_eq!(reply["subscribe"], json!({"was_recovering": true}));
}

#[tokio::test]
async fn a_forgotten_channel_begins_another_epoch() {
    let server = Server::start().await;
    let epoch = published(&server, "brief:a", 2).await;
    eventually("swept", || server.hub.stats().channels == 0).await;
    let mut client = server.user("u").await;
    let reply = recover(&mut client, "brief:a", &epoch, 2, 0).await;
    assert!(reply["subscribe"].get("recovered").is_none());
    assert_ne!(reply["subscribe"]["epoch"], json!(epoch));
}

/// The promise that everything else rests on: under a constant stream of publications, whoever comes and goes at
/// any time sees each of them exactly once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_keeps_coming_back_sees_everything_once_and_in_order() {
    const PUBLICATIONS: u64 = 3_000;
    const AHEAD_MAX: u64 = 200;
    let server = Server::start().await;
    let epoch = published(&server, "feed:a", 0).await;
    let hub = server.hub.clone();
    // The publisher stays within what the channel keeps, however slow the machine is.
    let (tell_seen, mut seen_so_far) = tokio::sync::watch::channel(0_u64);
    let publisher = tokio::spawn(async move {
        for number in 1..=PUBLICATIONS {
            seen_so_far.wait_for(|seen| number <= seen + AHEAD_MAX).await.unwrap();
            hub.publish(&crate::token_auth::tenant(0), "feed:a", &json!(number));
            tokio::task::yield_now().await;
        }
    });
    let mut seen = 0;
    let mut visits = 0;
    while seen < PUBLICATIONS {
        visits += 1;
        let mut client = server.user("u").await;
        let reply = recover(&mut client, "feed:a", &epoch, seen, 2).await;
        assert_eq!(reply["subscribe"]["recovered"], true, "{reply}");
        for offset in numbers(&reply["subscribe"]["publications"]) {
            assert_eq!(offset, seen + 1);
            seen = offset;
        }
        tell_seen.send_replace(seen);
        for _ in 0..(visits * 7) % 20 {
            if seen == PUBLICATIONS {
                break;
            }
            let offset = client.publication().await["offset"].as_u64().unwrap();
            assert_eq!(offset, seen + 1, "the reply stands before later publications");
            seen = offset;
            tell_seen.send_replace(seen);
        }
    }
    publisher.await.unwrap();
    assert!(visits > 10, "{visits} visits");
}

#[tokio::test]
async fn server_side_subscriptions_recover_with_the_connect_reply() {
    let server = Server::start().await;
    let token = json!({"user": "u", "channels": ["feed:mine", "nowhere:x"]});
    let mut client = Client::open(&server).await;
    let reply = client.connect(token.clone()).await;
    let subs = reply["connect"]["subs"].as_object().unwrap();
    assert_eq!(subs.keys().collect::<Vec<_>>(), ["feed:mine"], "a channel that cannot be had is left out");
    let epoch = subs["feed:mine"]["epoch"].clone();
    server.publish("feed:mine", json!(1));
    assert_eq!(client.publication().await["offset"], 1);
    drop(client);
    server.publish("feed:mine", json!(2));
    let mut client = Client::open(&server).await;
    let position = json!({"recover": true, "epoch": epoch, "offset": 1});
    let connect = json!({"connect": {"token": token.to_string(), "subs": {"feed:mine": position}}});
    let reply = client.ask(connect).await;
    let mine = &reply["connect"]["subs"]["feed:mine"];
    assert_eq!((&mine["recovered"], numbers(&mine["publications"])), (&json!(true), vec![2]));
}

#[tokio::test]
async fn history_reads_both_ways_from_a_position() {
    let server = Server::start().await;
    let epoch = published(&server, "room:a", 10).await;
    let mut client = server.user("u").await;
    client.subscribe("room:a").await;
    let mut history = async |request: Value| {
        let mut command = json!({"history": {"channel": "room:a"}});
        command["history"].as_object_mut().unwrap().extend(request.as_object().unwrap().clone());
        client.ask(command).await
    };
    let top = history(json!({})).await;
    assert_eq!(
        top["history"],
        json!({"publications": [], "epoch": epoch, "offset": 10}),
        "limit 0 is the position"
    );
    let since = json!({"offset": 4, "epoch": epoch});
    assert_eq!(numbers(&history(json!({"limit": -1})).await["history"]["publications"]).len(), 10);
    assert_eq!(
        numbers(&history(json!({"limit": 2, "since": since})).await["history"]["publications"]),
        [5, 6]
    );
    let back = history(json!({"limit": 2, "since": since, "reverse": true})).await;
    assert_eq!(numbers(&back["history"]["publications"]), [3, 2]);
    let newest = history(json!({"limit": 2, "reverse": true})).await;
    assert_eq!(numbers(&newest["history"]["publications"]), [10, 9]);
    let lost = history(json!({"limit": 1, "since": {"offset": 1, "epoch": "other"}})).await;
    assert_eq!(lost["error"]["code"], 112);
    client.subscribe("feed:a").await;
    let closed = client.ask(json!({"history": {"channel": "feed:a", "limit": 1}})).await;
    assert_eq!(closed["error"]["code"], 108);
}
