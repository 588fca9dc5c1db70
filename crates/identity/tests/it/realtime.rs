//! Realtime connections.

use plinth_identity::{NewUserToken, inbox_channel};
use plinth_kernel::ports::{RealtimeAuth, RealtimeDenial, RealtimeHeaders};
use plinth_kernel::{Actor, Role};
use plinth_testkit::both_engines;

use crate::support::*;

fn user_token(user: &str) -> NewUserToken {
    NewUserToken {
        user_id: user.into(),
        expires_in_seconds: None,
        scopes: None,
        channels: vec!["news".into(), format!("inbox:#{user}")],
        channel_patterns: vec!["preview:*".into()],
        info: Some(serde_json::json!({"name": "U"})),
    }
}

both_engines! {
    with (|builder| builder.manual_clock(1))
    async fn a_member_hears_their_inbox_and_their_tenant_until_they_log_out(store: TestStore) {
        let identity = open(&store).await;
        let session = set_up(&identity).await;
        let none = RealtimeHeaders::default();
        let token = identity.mint_member_token(&session.tenant, &session.member, &session.id).await.unwrap().token;
        let who = identity.connect(&token, &none).await.unwrap();
        assert_eq!((who.user.as_str(), &who.tenant), (session.member.to_string().as_str(), &session.tenant));
        assert_eq!(who.channels, [inbox_channel(&session.member), "tenant:ops".to_owned()]);
        for (channel, allowed) in [("tenant:ops", true), (who.channels[0].as_str(), true), ("inbox:#mbr_other", false), ("tenant:secrets", false)] {
            assert_eq!(identity.subscribe(&who, channel, "").await.is_ok(), allowed, "{channel}");
        }
        let by = as_role(&identity, &session.tenant, Actor::Member(session.member.clone()), Role::Owner);
        let (ender, member, id) = (identity.clone(), session.member.clone(), session.id.clone());
        act(&store, move |tx| ender.end_session(tx, &by, &member, &id)).await.unwrap();
        assert_eq!(identity.connect(&token, &none).await, Err(RealtimeDenial::InvalidToken));
        store.clock().advance_ms(600_000);
        assert_eq!(identity.connect(&token, &none).await, Err(RealtimeDenial::ExpiredToken));
    }

    with (|builder| builder.manual_clock(1))
    async fn a_cookie_opens_a_socket_from_our_own_pages_only(store: TestStore) {
        let identity = open(&store).await;
        let session = set_up(&identity).await;
        let headers = |origin: Option<&str>| RealtimeHeaders {
            cookie: Some(format!("a=b; plinth_session={}", session.token.reveal())),
            origin: origin.map(str::to_owned),
            host: Some("plinth.test".into()),
            client_ip: None,
        };
        assert!(identity.connect("", &headers(Some("https://plinth.test"))).await.is_ok());
        for origin in [None, Some("https://evil.test"), Some("https://plinth.test.evil.test"), Some("null")] {
            assert_eq!(identity.connect("", &headers(origin)).await, Err(RealtimeDenial::PermissionDenied), "{origin:?}");
        }
        let without = RealtimeHeaders { cookie: None, ..headers(Some("https://plinth.test")) };
        assert_eq!(identity.connect("", &without).await, Err(RealtimeDenial::InvalidToken));
    }

    with (|builder| builder.manual_clock(1))
    async fn an_end_user_hears_what_the_token_says(store: TestStore) {
        let identity = open(&store).await;
        let acme = organisation(&store, &identity).await;
        let by = operator(&acme.live.id);
        let token = identity.mint_user_token(&by, &user_token("u1")).await.unwrap().token;
        let who = identity.connect(&token, &RealtimeHeaders::default()).await.unwrap();
        assert_eq!((who.user.as_str(), who.info.is_some()), ("u1", true));
        for (channel, allowed) in [
            ("news", true), ("inbox:#u1", true), ("preview:f1", true), ("previewx", false), ("inbox:#u2", false),
            ("tenant:ops", false), ("preview:#u2", false), ("", false),
        ] {
            assert_eq!(identity.subscribe(&who, channel, "").await.is_ok(), allowed, "{channel}");
        }
        let one = identity.mint_channel_token(&acme.live.id, "u1", "room:9").await.unwrap().token;
        assert!(identity.subscribe(&who, "room:9", &one).await.is_ok());
        assert_eq!(identity.subscribe(&who, "room:8", &one).await, Err(RealtimeDenial::PermissionDenied));
        let other = identity.mint_channel_token(&acme.live.id, "u2", "room:9").await.unwrap().token;
        assert_eq!(identity.subscribe(&who, "room:9", &other).await, Err(RealtimeDenial::PermissionDenied));
        let twin = identity.mint_channel_token(&acme.test.id, "u1", "room:9").await.unwrap().token;
        assert_eq!(identity.subscribe(&who, "room:9", &twin).await, Err(RealtimeDenial::PermissionDenied));
        assert_eq!(identity.connect(&one, &RealtimeHeaders::default()).await, Err(RealtimeDenial::InvalidToken));
        assert!(identity.token(&one).await.is_err(), "a channel token is no API token");

        let no_realtime = NewUserToken { scopes: Some(vec!["forms:submissions:create".into()]), ..user_token("u1") };
        let token = identity.mint_user_token(&by, &no_realtime).await.unwrap().token;
        assert_eq!(identity.connect(&token, &RealtimeHeaders::default()).await, Err(RealtimeDenial::PermissionDenied));
    }

    with (|builder| builder.manual_clock(1))
    async fn the_tenants_origins_bind_end_users_in_browsers(store: TestStore) {
        let identity = open(&store).await;
        let acme = organisation(&store, &identity).await;
        let by = operator(&acme.live.id);
        let (changer, who) = (identity.clone(), by.clone());
        act(&store, move |tx| {
            let patch = plinth_identity::TenantPatch { allowed_origins: Some(vec!["https://shop.test".into()]), ..Default::default() };
            changer.update_tenant(tx, &who, &patch, None)
        }).await.unwrap();
        let token = identity.mint_user_token(&by, &user_token("u1")).await.unwrap().token;
        let from = |origin: Option<&str>| RealtimeHeaders { origin: origin.map(str::to_owned), ..Default::default() };
        assert!(identity.connect(&token, &from(Some("https://shop.test"))).await.is_ok());
        assert!(identity.connect(&token, &from(None)).await.is_ok(), "an app has no origin");
        assert_eq!(identity.connect(&token, &from(Some("https://evil.test"))).await, Err(RealtimeDenial::PermissionDenied));
    }
}
