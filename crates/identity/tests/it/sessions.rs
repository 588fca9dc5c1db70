//! Console sessions.

use plinth_identity::{AuthError, PageRequest, Secret};
use plinth_kernel::{Actor, Code, Problem, Role};
use plinth_testkit::both_engines;

use crate::support::*;

const HOUR_MS: i64 = 3_600_000;

both_engines! {
    with (|builder| builder.manual_clock(1))
    async fn a_session_lives_on_use_and_ends_idle_or_after_a_week(store: TestStore) {
        let identity = open(&store).await;
        let elsewhere = open_again(&store).await;
        let session = set_up(&identity).await;
        let token = session.token.reveal();
        assert_eq!(token.len(), 43, "256 bits");
        for _ in 0..10 {
            store.clock().advance_ms(11 * HOUR_MS);
            assert!(identity.session(token).await.is_ok());
            identity.flush_usage().await.unwrap();
        }
        assert!(elsewhere.session(token).await.is_ok(), "what one node saw, another knows after the flush");
        store.clock().advance_ms(12 * HOUR_MS);
        assert_eq!(identity.session(token).await.err(), Some(AuthError::Unauthenticated));

        let busy = identity.login("ada@example.com", &Secret::new(PASSWORD.into()), device()).await.unwrap();
        for _ in 0..15 {
            store.clock().advance_ms(11 * HOUR_MS);
            assert!(identity.session(busy.token.reveal()).await.is_ok());
        }
        store.clock().advance_ms(3 * HOUR_MS);
        assert_eq!(identity.session(busy.token.reveal()).await.err(), Some(AuthError::Unauthenticated));
        assert!(identity.sweep().await.unwrap() >= 2);
        assert_eq!(count(&store, "SELECT count(*) FROM sessions").await, 0);
    }

    with (|builder| builder.manual_clock(1))
    async fn logging_out_ends_the_session_here_and_elsewhere(store: TestStore) {
        let identity = open(&store).await;
        let elsewhere = open_again(&store).await;
        let session = set_up(&identity).await;
        assert!(elsewhere.session(session.token.reveal()).await.is_ok());
        let by = as_role(&identity, &session.tenant, Actor::Member(session.member.clone()), Role::Owner);
        let (ender, member, id) = (identity.clone(), session.member.clone(), session.id.clone());
        act(&store, move |tx| ender.end_session(tx, &by, &member, &id)).await.unwrap();
        assert!(identity.session(session.token.reveal()).await.is_err());
        elsewhere.poll_changes().await.unwrap();
        assert!(elsewhere.session(session.token.reveal()).await.is_err());
        for nonsense in ["", "x", &"y".repeat(10_000)] {
            assert_eq!(identity.session(nonsense).await.err(), Some(AuthError::Unauthenticated));
        }
    }

    with (|builder| builder.manual_clock(1))
    async fn switching_the_tenant_changes_the_token_and_stays_among_ones_own(store: TestStore) {
        let identity = open(&store).await;
        let session = set_up(&identity).await;
        let stranger = organisation(&store, &identity).await;
        let (reader, tenant) = (identity.clone(), session.tenant.clone());
        let twin = act(&store, move |tx| reader.get_tenant(tx, &tenant)).await.unwrap().twin_id;
        let switch = async |to: &plinth_kernel::TenantId| {
            let (identity, id, to) = (identity.clone(), session.id.clone(), to.clone());
            act(&store, move |tx| identity.switch_tenant(tx, &id, &to)).await
        };
        assert_eq!(switch(&stranger.live.id).await.unwrap_err().code, Code::NotFound);
        identity.session(session.token.reveal()).await.unwrap();
        let moved = switch(&twin).await.unwrap();
        assert!(identity.session(session.token.reveal()).await.is_err(), "the old token is dead");
        let credential = identity.session(moved.token.reveal()).await.unwrap();
        assert_eq!((&credential.tenant.id, credential.session.as_ref()), (&twin, Some(&session.id)));
        let again = identity.login("ada@example.com", &Secret::new(PASSWORD.into()), device()).await.unwrap();
        assert_eq!(again.tenant, twin, "a login begins where one worked last");
    }

    with (|builder| builder.manual_clock(1))
    async fn a_changed_password_ends_the_other_sessions(store: TestStore) {
        let identity = open(&store).await;
        let mine = set_up(&identity).await;
        let other = identity.login("ada@example.com", &Secret::new(PASSWORD.into()), device()).await.unwrap();
        let by = as_role(&identity, &mine.tenant, Actor::Member(mine.member.clone()), Role::Owner);
        let change = async |current: &str, new: &str| {
            let (current, new) = (Secret::new(current.to_owned()), Secret::new(new.to_owned()));
            identity.change_password(by.clone(), mine.member.clone(), Some(mine.id.clone()), &current, &new, device()).await
        };
        assert_eq!(change("wrong password", "a better phrase").await.unwrap_err().code, Code::InvalidCredentials);
        assert_eq!(change(PASSWORD, "short").await.unwrap_err().errors[0].pointer.as_deref(), Some("/new_password"));
        change(PASSWORD, "a better phrase").await.unwrap();
        assert!(identity.session(mine.token.reveal()).await.is_ok());
        assert!(identity.session(other.token.reveal()).await.is_err());
        assert!(identity.login("ada@example.com", &Secret::new(PASSWORD.into()), device()).await.is_err());
        assert!(identity.login("ada@example.com", &Secret::new("a better phrase".into()), device()).await.is_ok());
    }

    with (|builder| builder.manual_clock(1))
    async fn sessions_are_listed_for_their_owner_and_bounded(store: TestStore) {
        let identity = open(&store).await;
        let session = set_up(&identity).await;
        // Logins cost hashes; what bounds sessions is the insert, so the rows are made directly.
        let member = session.member.clone();
        let tenant = session.tenant.clone();
        act(&store, move |tx| {
            for n in 0..60_u32 {
                let (id, now): (plinth_kernel::SessionId, _) = (tx.id(), tx.now());
                tx.exec("INSERT INTO sessions (id, token_hash, member_id, tenant_id, created_at, last_seen_at) VALUES ($1, $2, $3, $4, $5, $5)",
                    plinth_store::args![&id, &n.to_be_bytes(), &member, &tenant, now])?;
            }
            Ok::<_, Problem>(())
        }).await.unwrap();
        store.clock().advance_ms(1);
        identity.login("ada@example.com", &Secret::new(PASSWORD.into()), device()).await.unwrap();
        assert_eq!(count(&store, "SELECT count(*) FROM sessions").await, 50);
        let (reader, member) = (identity.clone(), session.member.clone());
        let page = act(&store, move |tx| {
            reader.list_sessions(tx, &member, &PageRequest { limit: 1, after: None, descending: true })
        }).await.unwrap();
        assert_eq!((page.data[0].user_agent.as_deref(), page.data[0].ip.as_deref(), page.has_more), (Some("Firefox"), Some("203.0.113.7"), true));
    }
}
