//! One tenant never hears, sees or disturbs another, whatever names it uses.

use plinth_kernel::ports::Publisher;
use plinth_realtime::Disconnect;
use serde_json::json;

use crate::support::{Client, Server};
use crate::token_auth::tenant;

#[tokio::test]
async fn the_same_channel_name_is_another_channel_for_another_tenant() {
    let server = Server::start().await;
    let mut one = Client::connected(&server, json!({"tenant": 1, "user": "u"})).await;
    let mut two = Client::connected(&server, json!({"tenant": 2, "user": "u"})).await;
    one.subscribe("room:a").await;
    let reply = two.subscribe("room:a").await;
    server.hub.publish(&tenant(1), "room:a", &json!("for one"));
    assert_eq!(one.publication().await["data"], "for one");
    two.assert_silent().await;

    let presence = two.ask(json!({"presence_stats": {"channel": "room:a"}})).await;
    assert_eq!(presence["presence_stats"], json!({"num_clients": 1, "num_users": 1}));
    let history = two.ask(json!({"history": {"channel": "room:a", "limit": 10}})).await;
    assert_eq!(history["history"]["publications"], json!([]));

    one.ask(json!({"publish": {"channel": "room:a", "data": "from one"}})).await;
    two.assert_silent().await;
    let stolen = two.ask(json!({"unsubscribe": {"channel": "room:a"}})).await;
    assert_eq!(stolen["unsubscribe"], json!({}));
    assert!(reply["subscribe"]["epoch"].is_string());
    server.hub.publish(&tenant(1), "room:a", &json!("still here"));
    assert_eq!(one.publication().await["data"], "from one");
    assert_eq!(one.publication().await["data"], "still here");
}

#[tokio::test]
async fn a_name_that_looks_like_another_tenants_key_is_only_a_name() {
    let server = Server::start().await;
    let mut two = Client::connected(&server, json!({"tenant": 2, "user": "u"})).await;
    for name in
        [format!("{}/feed:a", tenant(1)), format!("feed:/{}/feed:a", tenant(1)), "feed:../feed:a".into()]
    {
        two.subscribe(&name).await;
    }
    server.hub.publish(&tenant(1), "feed:a", &json!("secret"));
    two.assert_silent().await;
}

#[tokio::test]
async fn the_publisher_port_takes_the_tenant_from_the_channel() {
    let server = Server::start().await;
    let publisher: &dyn Publisher = &server.hub;
    let mut one = Client::connected(&server, json!({"tenant": 1, "user": "u"})).await;
    one.subscribe("feed:a").await;
    publisher.publish(&format!("{}/feed:a", tenant(2)), &json!("not ours"));
    for nonsense in ["feed:a", "/feed:a", "tnt_x/feed:a", ""] {
        publisher.publish(nonsense, &json!("nobody's"));
    }
    publisher.publish(&format!("{}/feed:a", tenant(1)), &json!("ours"));
    assert_eq!(one.publication().await, json!({"data": "ours", "offset": 1}));
}

#[tokio::test]
async fn ending_a_users_connections_touches_only_that_user_of_that_tenant() {
    let server = Server::start().await;
    let mut ann = [server.user("ann").await, server.user("ann").await];
    let mut bob = server.user("bob").await;
    let mut other = Client::connected(&server, json!({"tenant": 1, "user": "ann"})).await;
    assert_eq!(server.hub.disconnect_user(&tenant(0), "ann", Disconnect::FORCE_NO_RECONNECT), 2);
    for connection in &mut ann {
        assert_eq!(connection.closed().await, (3503, "force disconnect".into()));
    }
    bob.assert_silent().await;
    other.assert_silent().await;
    assert_eq!(
        server.hub.disconnect_everywhere("ann", Disconnect::FORCE_RECONNECT),
        1,
        "those of other tenants too"
    );
    assert_eq!(other.closed().await, (3011, "force reconnect".into()));
    bob.assert_silent().await;
}

#[tokio::test]
async fn a_revoked_subscription_is_announced_and_silent() {
    let server = Server::start().await;
    let mut ann = server.user("ann").await;
    let mut other = Client::connected(&server, json!({"tenant": 1, "user": "ann"})).await;
    ann.subscribe("feed:a").await;
    other.subscribe("feed:a").await;
    server.hub.unsubscribe_user(&tenant(0), "ann", "feed:a");
    let push = ann.next().await;
    assert_eq!(
        push["push"],
        json!({"channel": "feed:a", "unsubscribe": {"code": 2000, "reason": "server unsubscribe"}})
    );
    server.publish("feed:a", json!("unheard"));
    ann.assert_silent().await;
    server.hub.publish(&tenant(1), "feed:a", &json!("heard"));
    assert_eq!(other.publication().await["data"], "heard");
}
