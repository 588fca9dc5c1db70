//! API keys.

use plinth_identity::{AuthError, Caller, KeyKind, KeyStatus, NewKey, PageRequest};
use plinth_kernel::{Actor, Code, Mode, PrincipalKind, Problem, Role, World};
use plinth_store::args;
use plinth_testkit::both_engines;

use crate::support::*;

fn refused(result: Result<std::sync::Arc<plinth_identity::Credential>, AuthError>) -> AuthError {
    result.expect_err("the key should be refused")
}

both_engines! {
    with (|builder| builder.manual_clock(1))
    async fn a_key_authenticates_its_tenant_and_nothing_more(store: TestStore) {
        let identity = open(&store).await;
        let acme = organisation(&store, &identity).await;
        let issued = make_key(&store, &identity, &operator(&acme.live.id), secret_key(&["forms:*"])).await.unwrap();
        let text = issued.text.reveal();
        assert!(text.starts_with("plk_live_") && text.ends_with(&issued.key.last4));
        assert_eq!(issued.key.version.as_deref(), Some("2026-11-01"));

        assert!(identity.key_cached(text, anywhere()).is_none(), "nothing is known before the first use");
        let credential = identity.key(text, anywhere()).await.unwrap();
        let principal = &credential.principal;
        assert_eq!((&principal.tenant, principal.mode, principal.kind), (&acme.live.id, Mode::Live, PrincipalKind::SecretKey));
        assert_eq!(principal.actor, Actor::Key(issued.key.id.clone()));
        assert!(principal.scopes.contains("forms:forms:read") && !principal.scopes.contains("identity:keys:read"));
        assert!(identity.key_cached(text, anywhere()).unwrap().is_ok(), "and now it is answered without IO");

        // The same key id with another secret, and the other mode's prefix.
        let mut other = make_key(&store, &identity, &operator(&acme.live.id), secret_key(&["forms:*"])).await.unwrap().text.into_revealed();
        assert!(identity.key(&other, anywhere()).await.is_ok());
        other.replace_range(9..21, &text[9..21]);
        assert!(matches!(refused(identity.key(&other, anywhere()).await), AuthError::MalformedKey(_)));
        assert_eq!(Problem::from(refused(identity.key("plk_live_x", anywhere()).await)).code, Code::Unauthenticated);
    }

    with (|builder| builder.manual_clock(1))
    async fn an_unknown_key_is_remembered_as_unknown_for_a_while(store: TestStore) {
        let identity = open(&store).await;
        let (world, _) = World::manual(99);
        let stranger = plinth_identity::model::key_text::FreshKey::generate(&world, Mode::Live).text.into_revealed();
        assert_eq!(refused(identity.key(&stranger, anywhere()).await), AuthError::Unauthenticated);
        assert_eq!(identity.key_cached(&stranger, anywhere()).map(refused), Some(AuthError::Unauthenticated));
        store.clock().advance_ms(11_000);
        assert!(identity.key_cached(&stranger, anywhere()).is_none());
    }

    with (|builder| builder.manual_clock(1))
    async fn a_revoked_key_is_refused_at_once_here_and_after_a_poll_elsewhere(store: TestStore) {
        let identity = open(&store).await;
        let elsewhere = open_again(&store).await;
        let acme = organisation(&store, &identity).await;
        let by = operator(&acme.live.id);
        let issued = make_key(&store, &identity, &by, secret_key(&["forms:*"])).await.unwrap();
        let text = issued.text.reveal();
        assert!(identity.key(text, anywhere()).await.is_ok() && elsewhere.key(text, anywhere()).await.is_ok());

        let (revoker, id, who) = (identity.clone(), issued.key.id.clone(), by.clone());
        let shown = act(&store, move |tx| revoker.revoke_key(tx, &who, &id)).await.unwrap();
        assert_eq!(shown.status, KeyStatus::Revoked);
        assert_eq!(refused(identity.key(text, anywhere()).await), AuthError::KeyRevoked);
        assert!(elsewhere.key_cached(text, anywhere()).unwrap().is_ok(), "the other process cannot know yet");
        elsewhere.poll_changes().await.unwrap();
        assert_eq!(refused(elsewhere.key(text, anywhere()).await), AuthError::KeyRevoked);

        let (revoker, id) = (identity.clone(), issued.key.id.clone());
        let again = act(&store, move |tx| revoker.revoke_key(tx, &by, &id)).await.unwrap();
        assert_eq!(again.revoked_at, shown.revoked_at, "revoking twice changes nothing");
    }

    with (|builder| builder.manual_clock(1))
    async fn a_revocation_that_is_rolled_back_forgets_nothing(store: TestStore) {
        let identity = open(&store).await;
        let acme = organisation(&store, &identity).await;
        let by = operator(&acme.live.id);
        let issued = make_key(&store, &identity, &by, secret_key(&["forms:*"])).await.unwrap();
        identity.key(issued.text.reveal(), anywhere()).await.unwrap();
        let (revoker, id) = (identity.clone(), issued.key.id.clone());
        let failed: Result<(), Problem> = act(&store, move |tx| {
            revoker.revoke_key(tx, &by, &id)?;
            Err(Problem::new(Code::Conflict, "no"))
        }).await;
        assert!(failed.is_err());
        assert!(identity.key_cached(issued.text.reveal(), anywhere()).unwrap().is_ok());
    }

    with (|builder| builder.manual_clock(1))
    async fn a_rotated_key_and_its_successor_both_work_during_the_overlap(store: TestStore) {
        let identity = open(&store).await;
        let acme = organisation(&store, &identity).await;
        let by = operator(&acme.live.id);
        let old = make_key(&store, &identity, &by, secret_key(&["forms:*"])).await.unwrap();
        identity.key(old.text.reveal(), anywhere()).await.unwrap();
        let (rotator, id, who) = (identity.clone(), old.key.id.clone(), by.clone());
        let new = act(&store, move |tx| rotator.rotate_key(tx, &who, &id, Some(60))).await.unwrap();
        assert_eq!((new.key.predecessor_id.as_ref(), &new.key.scopes), (Some(&old.key.id), &old.key.scopes));
        let old_works = async || identity.key(old.text.reveal(), anywhere()).await;
        let new_works = async || identity.key(new.text.reveal(), anywhere()).await;
        assert!(old_works().await.is_ok() && new_works().await.is_ok());
        store.clock().advance_ms(59_999);
        assert!(old_works().await.is_ok() && new_works().await.is_ok());
        store.clock().advance_ms(1);
        assert_eq!(refused(old_works().await), AuthError::KeyExpired);
        assert!(new_works().await.is_ok());

        let (rotator, id, who) = (identity.clone(), old.key.id.clone(), by.clone());
        let again = act(&store, move |tx| rotator.rotate_key(tx, &who, &id, None)).await.unwrap_err();
        assert_eq!(again.code, Code::StateConflict);
        let (rotator, id) = (identity.clone(), new.key.id.clone());
        let too_long = act(&store, move |tx| rotator.rotate_key(tx, &by, &id, Some(u64::MAX))).await.unwrap_err();
        assert_eq!(too_long.code, Code::ValidationFailed);
    }

    with (|builder| builder.manual_clock(1))
    async fn one_of_many_rotations_at_once_wins(store: TestStore) {
        let identity = open(&store).await;
        let acme = organisation(&store, &identity).await;
        let by = operator(&acme.live.id);
        let old = make_key(&store, &identity, &by, secret_key(&["forms:*"])).await.unwrap();
        let attempts: Vec<_> = (0..16).map(|_| {
            let (store, rotator, id, by) = (store.store(), identity.clone(), old.key.id.clone(), by.clone());
            tokio::spawn(async move { act(&store, move |tx| rotator.rotate_key(tx, &by, &id, Some(60))).await.is_ok() })
        }).collect();
        let mut won = 0;
        for attempt in attempts { won += u32::from(attempt.await.unwrap()); }
        assert_eq!(won, 1);
        assert_eq!(count(&store, "SELECT count(*) FROM api_keys").await, 2);
    }

    with (|builder| builder.manual_clock(1))
    async fn a_key_is_bound_to_its_addresses_origins_and_expiry(store: TestStore) {
        let identity = open(&store).await;
        let acme = organisation(&store, &identity).await;
        let expires_at = store.clock_now().plus_ms(10_000);
        let new = NewKey {
            allowed_ips: vec!["203.0.113.0/24".into()],
            allowed_origins: vec!["https://*.example.com".into()],
            expires_at: Some(expires_at),
            ..secret_key(&["forms:forms:read"])
        };
        let issued = make_key(&store, &identity, &operator(&acme.test.id), new).await.unwrap();
        let text = issued.text.reveal();
        assert!(text.starts_with("plk_test_"));
        let from = |ip: &str, origin| Caller { ip: Some(ip.parse().unwrap()), origin };
        let good = from("203.0.113.9", Some("https://app.example.com"));
        assert!(identity.key(text, good).await.is_ok());
        assert!(identity.key(text, from("::ffff:203.0.113.9", Some("https://app.example.com"))).await.is_ok());
        assert_eq!(refused(identity.key(text, from("198.51.100.1", good.origin)).await), AuthError::IpNotAllowed);
        assert_eq!(refused(identity.key(text, Caller { ip: None, ..good }).await), AuthError::IpNotAllowed);
        assert_eq!(refused(identity.key(text, from("203.0.113.9", Some("https://evil.test"))).await), AuthError::OriginNotAllowed);
        assert_eq!(refused(identity.key(text, from("203.0.113.9", None)).await), AuthError::OriginNotAllowed);
        store.clock().advance_ms(10_000);
        assert_eq!(refused(identity.key(text, good).await), AuthError::KeyExpired);
        assert_eq!(Problem::from(AuthError::IpNotAllowed).code, Code::IpNotAllowed);
    }

    with (|builder| builder.manual_clock(1))
    async fn a_publishable_key_does_what_the_list_says_from_the_tenants_origins(store: TestStore) {
        let identity = open(&store).await;
        let acme = organisation(&store, &identity).await;
        let by = operator(&acme.live.id);
        let publishable = NewKey { kind: KeyKind::Publishable, scopes: vec![], ..secret_key(&[]) };
        let issued = make_key(&store, &identity, &by, publishable.clone()).await.unwrap();
        let text = issued.text.reveal();
        let at = |origin| Caller { ip: None, origin: Some(origin) };
        let credential = identity.key(text, at("https://anywhere.test")).await.unwrap();
        assert_eq!(credential.principal.kind, PrincipalKind::PublishableKey);
        assert!(credential.principal.scopes.contains("forms:submissions:create"));
        for scope in identity.scopes().iter().filter(|s| s.starts_with("identity:") || s.ends_with("submissions:read")) {
            assert!(!credential.principal.scopes.contains(scope), "{scope}");
        }
        // Once the tenant names its origins, keys already in memory follow, here and elsewhere.
        let elsewhere = open_again(&store).await;
        elsewhere.key(text, at("https://anywhere.test")).await.unwrap();
        let (changer, who) = (identity.clone(), by.clone());
        act(&store, move |tx| {
            let patch = plinth_identity::TenantPatch { allowed_origins: Some(vec!["https://shop.test".into()]), ..Default::default() };
            changer.update_tenant(tx, &who, &patch, None)
        }).await.unwrap();
        assert!(identity.key(text, at("https://shop.test")).await.is_ok());
        assert_eq!(refused(identity.key(text, at("https://anywhere.test")).await), AuthError::OriginNotAllowed);
        elsewhere.poll_changes().await.unwrap();
        assert_eq!(refused(elsewhere.key(text, at("https://anywhere.test")).await), AuthError::OriginNotAllowed);

        let greedy = NewKey { scopes: vec!["forms:*".into()], ..publishable };
        assert_eq!(make_key(&store, &identity, &by, greedy).await.unwrap_err().errors[0].code, "not_allowed");
    }

    with (|builder| builder.manual_clock(1))
    async fn nobody_makes_or_rotates_a_key_that_can_do_more_than_they(store: TestStore) {
        let identity = open(&store).await;
        let acme = organisation(&store, &identity).await;
        let developer = as_role(&identity, &acme.live.id, Actor::Anonymous, Role::Developer);
        assert!(make_key(&store, &identity, &developer, secret_key(&["forms:*"])).await.is_ok());
        for scopes in [&["*"][..], &["identity:members:write"], &["identity:*"]] {
            let problem = make_key(&store, &identity, &developer, secret_key(scopes)).await.unwrap_err();
            assert_eq!((problem.code, problem.errors[0].pointer.as_deref()), (Code::ValidationFailed, Some("/scopes/0")));
        }
        let mighty = make_key(&store, &identity, &operator(&acme.live.id), secret_key(&["*"])).await.unwrap();
        let (rotator, id) = (identity.clone(), mighty.key.id.clone());
        let problem = act(&store, move |tx| rotator.rotate_key(tx, &developer, &id, None)).await.unwrap_err();
        assert_eq!(problem.code, Code::Forbidden);
    }

    with (|builder| builder.manual_clock(1))
    async fn every_fault_of_a_new_key_is_named_at_once(store: TestStore) {
        let identity = open(&store).await;
        let acme = organisation(&store, &identity).await;
        let by = operator(&acme.live.id);
        let bad = NewKey {
            kind: KeyKind::Personal,
            name: "  ".into(),
            scopes: vec!["forms:forms:read".into(), "billing:invoices:read".into()],
            allowed_ips: vec!["10.0.0.1/8".into()],
            allowed_origins: vec!["https://ok.test".into(), "ftp://x".into()],
            expires_at: Some(store.clock_now()),
        };
        let problem = make_key(&store, &identity, &by, bad).await.unwrap_err();
        let pointers: Vec<_> = problem.errors.iter().filter_map(|e| e.pointer.as_deref()).collect();
        assert_eq!(pointers, ["/name", "/allowed_ips/0", "/allowed_origins/1", "/scopes/1", "/expires_at", "/kind"]);
        assert_eq!(count(&store, "SELECT count(*) FROM api_keys").await, 0);
    }

    with (|builder| builder.manual_clock(1))
    async fn last_use_is_written_in_batches_and_never_on_the_way(store: TestStore) {
        let identity = open(&store).await;
        let acme = organisation(&store, &identity).await;
        let issued = make_key(&store, &identity, &operator(&acme.live.id), secret_key(&["forms:*"])).await.unwrap();
        let last_used = async || {
            let (identity, tenant, id) = (identity.clone(), acme.live.id.clone(), issued.key.id.clone());
            act(&store, move |tx| identity.get_key(tx, &tenant, &id)).await.unwrap().last_used_at
        };
        for _ in 0..1_000 {
            identity.key(issued.text.reveal(), anywhere()).await.unwrap();
        }
        assert_eq!(last_used().await, None);
        identity.flush_usage().await.unwrap();
        assert_eq!(last_used().await, Some(store.clock_now()));
        store.clock().advance_ms(1_000);
        identity.key(issued.text.reveal(), anywhere()).await.unwrap();
        identity.flush_usage().await.unwrap();
        assert_eq!(last_used().await, Some(store.clock_now()));
    }

    with (|builder| builder.manual_clock(1))
    async fn counters_survive_a_change_of_the_key(store: TestStore) {
        use std::sync::atomic::Ordering;
        let identity = open(&store).await;
        let acme = organisation(&store, &identity).await;
        let by = operator(&acme.live.id);
        let issued = make_key(&store, &identity, &by, secret_key(&["forms:*"])).await.unwrap();
        let first = identity.key(issued.text.reveal(), anywhere()).await.unwrap();
        first.cells.cells[0].store(42, Ordering::Relaxed);
        first.tenant.cells.cells[1].store(43, Ordering::Relaxed);
        let (rotator, id) = (identity.clone(), issued.key.id.clone());
        act(&store, move |tx| rotator.rotate_key(tx, &by, &id, Some(60))).await.unwrap();
        let reloaded = identity.key(issued.text.reveal(), anywhere()).await.unwrap();
        assert!(!std::sync::Arc::ptr_eq(&first, &reloaded));
        assert_eq!(reloaded.cells.cells[0].load(Ordering::Relaxed), 42);
        assert_eq!(reloaded.tenant.cells.cells[1].load(Ordering::Relaxed), 43);
    }

    with (|builder| builder.manual_clock(1))
    async fn keys_are_listed_by_page_and_belong_to_one_tenant(store: TestStore) {
        let identity = open(&store).await;
        let (acme, other) = (organisation(&store, &identity).await, organisation(&store, &identity).await);
        let mut ids = Vec::new();
        for _ in 0..5 {
            store.clock().advance_ms(1);
            ids.push(make_key(&store, &identity, &operator(&acme.live.id), secret_key(&["forms:*"])).await.unwrap().key.id);
        }
        let page = async |after: Option<String>, descending| {
            let (identity, tenant) = (identity.clone(), acme.live.id.clone());
            act(&store, move |tx| identity.list_keys(tx, &tenant, &PageRequest { limit: 2, after: after.clone(), descending })).await.unwrap()
        };
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = page(after.take(), false).await;
            seen.extend(page.data.iter().map(|key| key.id.clone()));
            if !page.has_more { break; }
            after = seen.last().map(ToString::to_string);
        }
        assert_eq!(seen, ids);
        let newest = page(None, true).await;
        assert_eq!((newest.data[0].id.clone(), newest.data.len(), newest.has_more), (ids[4].clone(), 2, true));

        let (reader, stranger, id) = (identity.clone(), other.live.id.clone(), ids[0].clone());
        let foreign = act(&store, move |tx| reader.get_key(tx, &stranger, &id)).await.unwrap_err();
        assert_eq!(foreign.code, Code::NotFound);
        let (revoker, by, id) = (identity.clone(), operator(&other.live.id), ids[0].clone());
        assert_eq!(act(&store, move |tx| revoker.revoke_key(tx, &by, &id)).await.unwrap_err().code, Code::NotFound);
        let (reader, twin, id) = (identity.clone(), acme.test.id.clone(), ids[0].clone());
        assert_eq!(act(&store, move |tx| reader.get_key(tx, &twin, &id)).await.unwrap_err().code, Code::NotFound);
    }

    with (|builder| builder.manual_clock(1))
    async fn a_burst_with_a_cold_key_is_one_read(store: TestStore) {
        let identity = open(&store).await;
        let acme = organisation(&store, &identity).await;
        let issued = make_key(&store, &identity, &operator(&acme.live.id), secret_key(&["forms:*"])).await.unwrap();
        let text = issued.text.reveal().clone();
        let burst: Vec<_> = (0..64).map(|_| {
            let (identity, text) = (identity.clone(), text.clone());
            tokio::spawn(async move { identity.key(&text, anywhere()).await.unwrap() })
        }).collect();
        let mut credentials = Vec::new();
        for one in burst { credentials.push(one.await.unwrap()); }
        assert!(credentials.iter().all(|one| std::sync::Arc::ptr_eq(one, &credentials[0])));
    }

    with (|builder| builder.manual_clock(1))
    async fn old_changes_are_swept_and_a_process_that_slept_starts_anew(store: TestStore) {
        let identity = open(&store).await;
        let sleeper = open_again(&store).await;
        let acme = organisation(&store, &identity).await;
        let by = operator(&acme.live.id);
        let issued = make_key(&store, &identity, &by, secret_key(&["forms:*"])).await.unwrap();
        sleeper.key(issued.text.reveal(), anywhere()).await.unwrap();
        let (revoker, id) = (identity.clone(), issued.key.id.clone());
        act(&store, move |tx| revoker.revoke_key(tx, &by, &id)).await.unwrap();
        store.clock().advance_ms(2 * 3_600_000);
        identity.sweep().await.unwrap();
        assert_eq!(count(&store, "SELECT count(*) FROM identity_changes").await, 0);
        sleeper.poll_changes().await.unwrap();
        assert_eq!(refused(sleeper.key(issued.text.reveal(), anywhere()).await), AuthError::KeyRevoked);
    }
}

/// The clock's reading, for expectations.
trait ClockNow {
    fn clock_now(&self) -> plinth_kernel::Micros;
}

impl ClockNow for plinth_testkit::TestStore {
    fn clock_now(&self) -> plinth_kernel::Micros {
        self.world().now()
    }
}

both_engines! {
    with (|builder| builder.manual_clock(1))
    async fn a_key_row_holds_no_part_of_the_secret(store: TestStore) {
        let identity = open(&store).await;
        let acme = organisation(&store, &identity).await;
        let issued = make_key(&store, &identity, &operator(&acme.live.id), secret_key(&["forms:*"])).await.unwrap();
        let secret = issued.text.reveal()[22..65].to_owned();
        let row: (String, String, Vec<u8>, String) = store.read(|tx| {
            tx.one("SELECT handle, last4, secret_hash, name FROM api_keys", args![]).map_err(Problem::from)
        }).await.unwrap();
        assert_eq!(row.2.len(), 32);
        assert!(!secret.contains(&row.0) && !row.3.contains(&secret));
    }
}
