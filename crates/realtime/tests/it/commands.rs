//! What clients may ask for, and what they get when they ask wrongly.

use serde_json::{Value, json};

use crate::support::{Client, Server, config};

fn error(reply: &Value) -> u64 {
    reply["error"]["code"].as_u64().unwrap_or_else(|| panic!("no error: {reply}"))
}

#[tokio::test]
async fn connect_and_subscriptions_may_come_in_one_frame_and_are_answered_in_order() {
    let server = Server::start().await;
    let mut client = Client::open(&server).await;
    let frame = "{\"id\":1,\"connect\":{}}\n\n{\"id\":2,\"subscribe\":{\"channel\":\"feed:a\"}}\n\
                 {\"id\":3,\"subscribe\":{\"channel\":\"live:b\"}}\n";
    client.send(frame).await;
    let connected = client.next().await;
    assert_eq!(connected["connect"]["ping"], 25);
    assert_eq!(connected["connect"]["pong"], true);
    assert_eq!(connected["connect"]["client"].as_str().unwrap().len(), 36);
    assert!(connected["connect"].get("expires").is_none(), "{connected}");
    assert!(connected["connect"].get("session").is_none(), "{connected}");
    let feed = client.next().await;
    assert_eq!((&feed["id"], &feed["subscribe"]["recoverable"]), (&json!(2), &json!(true)));
    assert!(feed["subscribe"]["epoch"].is_string());
    assert!(feed["subscribe"].get("offset").is_none(), "zero is left out: {feed}");
    assert_eq!(client.next().await, json!({"id": 3, "subscribe": {}}));
}

#[tokio::test]
async fn what_breaks_the_protocol_ends_the_connection_for_good() {
    let server = Server::start().await;
    for before in ["", "{\"id\":1,\"connect\":{}}"] {
        let frames: &[&str] = match before {
            "" => &[
                "",
                "\n",
                "nonsense",
                "[]",
                "{}",
                "{\"id\":1}",
                "{\"id\":1,\"ping\":{}}",
                "{\"send\":{}}",
                "{\"connect\":{}}",
                "{\"id\":1,\"subscribe\":{\"channel\":\"feed:a\"}}",
                "{\"id\":1,\"connect\":{\"name\":\"a name that is too long\"}}",
                "{\"id\":1,\"connect\":{}}\n{\"id\":2,\"connect\":{}}",
            ],
            _ => &[
                "",
                "{\"id\":2}",
                "{}",
                "{\"id\":2,\"connect\":{}}",
                "{\"id\":2,\"subscribe\":{}}",
                "{\"id\":2,\"subscribe\":{\"channel\":\"\"}}",
                "{\"subscribe\":{\"channel\":\"feed:a\"}}",
                "{\"id\":2,\"history\":{}}",
                "{\"id\":2,\"subscribe\":{\"channel\":7}}",
            ],
        };
        for frame in frames {
            let mut client = Client::open(&server).await;
            if !before.is_empty() {
                client.send(before).await;
                client.next().await;
            }
            client.send(frame).await;
            assert_eq!(client.closed().await, (3501, "bad request".into()), "{frame:?} after {before:?}");
        }
    }
}

#[tokio::test]
async fn a_one_way_message_nobody_handles_ends_the_connection() {
    let server = Server::start().await;
    let mut client = server.user("u").await;
    client.send("{\"send\":{\"data\":1}}").await;
    assert_eq!(client.closed().await.0, 3508);
}

#[tokio::test]
async fn messages_over_the_limit_are_refused_on_the_websocket_level() {
    let server = Server::start().await;
    let mut client = server.user("u").await;
    client.send(&"x".repeat(64 * 1024 + 1)).await;
    assert_eq!(client.closed().await.0, 1009);
    let mut client = server.user("u").await;
    client.send_frame(0x81, b"\xff").await;
    assert_eq!(client.closed().await.0, 1007);
    let mut client = server.user("u").await;
    client.send_frame(0x89, b"hi").await;
    assert_eq!(client.control().await, 0xA, "a ping is answered");
    client.send_frame(0x01, b"{\"id\":9,").await;
    client.send_frame(0x80, b"\"ping\":{}}").await;
    assert_eq!(client.next().await, json!({"id": 9, "ping": {}}));
    client.send_frame(0x88, &3333u16.to_be_bytes()).await;
    assert_eq!(client.closed().await.0, 3333, "a close is answered in kind");
}

#[tokio::test]
async fn tokens_decide_about_the_connection() {
    let server = Server::start().await;
    let mut client = Client::open(&server).await;
    client.send(r#"{"id":1,"connect":{"token":"nonsense"}}"#).await;
    assert_eq!(client.closed().await, (3500, "invalid token".into()));

    let mut client = Client::open(&server).await;
    let forbidden = json!({"id": 1, "connect": {"token": json!({"deny": "permission"}).to_string()}});
    client.send(&forbidden.to_string()).await;
    assert_eq!(client.closed().await.0, 3507);
    let mut client = Client::open(&server).await;
    let expired = client.connect(json!({"deny": "expired"})).await;
    assert_eq!(error(&expired), 109);
    assert!(expired["error"].get("temporary").is_none());
    let mut client = Client::open(&server).await;
    let later = client.connect(json!({"deny": "unavailable"})).await;
    assert_eq!((error(&later), &later["error"]["temporary"]), (100, &json!(true)));
    let mut client = Client::open(&server).await;
    let past = client.connect(json!({"ttl_ms": -1})).await;
    assert_eq!(error(&past), 109);
}

#[tokio::test]
async fn after_an_expired_token_the_rest_of_the_frame_does_no_harm() {
    let server = Server::start().await;
    let mut client = Client::open(&server).await;
    let token = json!({"deny": "expired"}).to_string();
    let connect = json!({"id": 1, "connect": {"token": token}});
    client.send(&format!("{connect}\n{{\"id\":2,\"subscribe\":{{\"channel\":\"feed:a\"}}}}")).await;
    assert_eq!(error(&client.next().await), 109);
    client.send("{\"id\":3,\"ping\":{}}").await;
    server.hub.drain(std::time::Duration::ZERO).await;
    assert_eq!(client.closed().await.0, 3001, "nothing but the drain ended it");
}

#[tokio::test]
async fn subscriptions_are_refused_with_the_code_that_tells_why() {
    let server = Server::start().await;
    let mut client =
        Client::connected(&server, json!({"user": "ann", "grants": ["feed:private-1", "feed:private-x*"]}))
            .await;
    let mut refused = async |subscribe: Value| error(&client.ask(json!({"subscribe": subscribe})).await);
    assert_eq!(refused(json!({"channel": "nowhere:a"})).await, 102);
    assert_eq!(refused(json!({"channel": "feed:private-2"})).await, 103);
    assert_eq!(refused(json!({"channel": "feed:a", "token": "invalid"})).await, 103);
    assert_eq!(refused(json!({"channel": "feed:a", "token": "unknown"})).await, 102);
    assert_eq!(refused(json!({"channel": "feed:a", "token": "expired"})).await, 109);
    assert_eq!(refused(json!({"channel": "feed:a", "token": "unavailable"})).await, 100);
    assert_eq!(refused(json!({"channel": "feed:a", "type": 1})).await, 108);
    assert_eq!(refused(json!({"channel": "feed:".to_owned() + &"x".repeat(251)})).await, 107);
    assert_eq!(refused(json!({"channel": "feed:caf\u{e9}"})).await, 107);
    assert_eq!(refused(json!({"channel": "feed:a b"})).await, 107);
    assert_eq!(refused(json!({"channel": "feed:#bob"})).await, 103);
    for channel in ["feed:private-1", "feed:private-xy", "feed:#ann", "feed:#bob,ann", "feed:plain"] {
        assert!(client.subscribe(channel).await["subscribe"].is_object(), "{channel}");
    }
    assert_eq!(error(&client.subscribe("feed:plain").await), 105);
}

#[tokio::test]
async fn an_anonymous_client_is_nobodys_user() {
    let server = Server::start().await;
    let mut client = server.user("").await;
    assert_eq!(error(&client.subscribe("feed:#").await), 103);
}

#[tokio::test]
async fn a_connection_has_room_for_128_channels() {
    let server = Server::start().await;
    let mut client = Client::connected(&server, json!({"user": "u", "channels": ["feed:personal"]})).await;
    for number in 1..128 {
        assert!(client.subscribe(&format!("feed:{number}")).await["subscribe"].is_object());
    }
    assert_eq!(error(&client.subscribe("feed:128").await), 106);
    client.ask(json!({"unsubscribe": {"channel": "feed:1"}})).await;
    assert!(client.subscribe("feed:128").await["subscribe"].is_object());
}

#[tokio::test]
async fn publications_arrive_in_order_with_consecutive_offsets_until_unsubscribed() {
    let server = Server::start().await;
    let mut client = server.user("u").await;
    client.subscribe("feed:a").await;
    client.subscribe("live:a").await;
    (1..=50).for_each(|number| server.publish("feed:a", json!({"n": number})));
    for number in 1..=50 {
        assert_eq!(client.publication().await, json!({"data": {"n": number}, "offset": number}));
    }
    server.publish("live:a", json!("now"));
    let message = client.next().await;
    assert_eq!(
        message,
        json!({"push": {"channel": "live:a", "pub": {"data": "now"}}}),
        "no offset without history"
    );
    let reply = client.ask(json!({"unsubscribe": {"channel": "feed:a"}})).await;
    assert_eq!(reply["unsubscribe"], json!({}));
    server.publish("feed:a", json!("unheard"));
    client.assert_silent().await;
    let again = client.ask(json!({"unsubscribe": {"channel": "feed:a"}})).await;
    assert_eq!(again["unsubscribe"], json!({}), "always answered");
    assert_eq!(server.hub.stats().subscriptions, 1);
}

#[tokio::test]
async fn clients_publish_where_the_namespace_lets_them_and_line_breaks_do_not_break_frames() {
    let server = Server::start().await;
    let (mut ann, mut bob) = (server.user("ann").await, server.user("bob").await);
    ann.subscribe("room:a").await;
    bob.subscribe("room:a").await;
    let frame = "{\"id\":90,\"publish\":{\"channel\":\"room:a\",\"data\":{\"text\":\n\"a\\nb\"}}}";
    ann.send(frame).await;
    let heard = bob.publication().await;
    assert_eq!(heard["data"], json!({"text": "a\nb"}));
    assert_eq!(heard["info"]["user"], "ann");
    let mut refused = async |publish: Value| error(&bob.ask(json!({"publish": publish})).await);
    assert_eq!(refused(json!({"channel": "feed:a", "data": 1})).await, 108);
    assert_eq!(refused(json!({"channel": "room:elsewhere", "data": 1})).await, 103);
    assert_eq!(refused(json!({"channel": "room:a"})).await, 107);
}

#[tokio::test]
async fn presence_counts_connections_and_users() {
    let server = Server::start().await;
    let mut ann = Client::connected(&server, json!({"user": "ann", "info": {"name": "Ann"}})).await;
    let mut again = server.user("ann").await;
    ann.subscribe("room:a").await;
    again.subscribe("room:a").await;
    let presence = ann.ask(json!({"presence": {"channel": "room:a"}})).await;
    let listed = presence["presence"]["presence"].as_object().unwrap();
    assert_eq!(listed.len(), 2);
    assert!(listed.values().any(|entry| entry["conn_info"] == json!({"name": "Ann"})));
    assert!(listed.iter().all(|(client, entry)| entry["client"] == **client && entry["user"] == "ann"));
    let stats = ann.ask(json!({"presence_stats": {"channel": "room:a"}})).await;
    assert_eq!(stats["presence_stats"], json!({"num_clients": 2, "num_users": 1}));
    ann.subscribe("feed:a").await;
    assert_eq!(error(&ann.ask(json!({"presence": {"channel": "feed:a"}})).await), 108);
    assert_eq!(error(&ann.ask(json!({"presence": {"channel": "room:b"}})).await), 103);
    assert_eq!(error(&ann.ask(json!({"presence": {"channel": "nowhere:b"}})).await), 102);
}

#[tokio::test]
async fn those_who_ask_are_told_who_comes_and_goes() {
    let server = Server::start().await;
    let (mut ann, mut bob) = (server.user("ann").await, server.user("bob").await);
    ann.ask(json!({"subscribe": {"channel": "room:a", "join_leave": true}})).await;
    assert_eq!(ann.next().await["push"]["join"]["info"]["user"], "ann");
    bob.subscribe("room:a").await;
    assert_eq!(ann.next().await["push"]["join"]["info"]["user"], "bob");
    drop(bob);
    let leave = ann.next().await;
    assert_eq!(
        (&leave["push"]["channel"], &leave["push"]["leave"]["info"]["user"]),
        (&json!("room:a"), &json!("bob"))
    );
}

#[tokio::test]
async fn commands_this_server_does_not_have_say_so() {
    let server = Server::start().await;
    let mut client = server.user("u").await;
    assert_eq!(error(&client.ask(json!({"rpc": {"method": "x", "data": {}}})).await), 104);
}

#[tokio::test]
async fn a_flood_of_commands_is_sent_away_for_a_while() {
    let server = Server::start().await;
    let mut client = server.user("u").await;
    let flood: String = (2..700).map(|id| format!("{{\"id\":{id},\"ping\":{{}}}}\n")).collect();
    client.send(&flood).await;
    assert_eq!(client.closed().await.0, 3013);
}

#[tokio::test]
async fn a_user_has_a_bounded_number_of_connections() {
    let server = Server::with(plinth_realtime::HubConfig { connections_per_user: 2, ..config() }).await;
    let first = server.user("u").await;
    let _second = server.user("u").await;
    let mut third = Client::open(&server).await;
    third.send(&json!({"id": 1, "connect": {"token": json!({"user": "u"}).to_string()}}).to_string()).await;
    assert_eq!(third.closed().await.0, 3504);
    let _someone_else = server.user("v").await;
    let _same_name_elsewhere = Client::connected(&server, json!({"user": "u", "tenant": 1})).await;
    drop(first);
    crate::support::eventually("room again", || server.hub.stats().connections[0] == 3).await;
    server.user("u").await;
}
