//! Setup, login, invitations and roles.

use plinth_identity::{AcceptInvite, Identity, IssuedInvite, NewInvite, OpenedSession, PageRequest, Secret};
use plinth_kernel::{Actor, Code, MemberId, Problem, Role, TenantId};
use plinth_testkit::{TestStore, both_engines};

use crate::support::*;

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

async fn invite(
    store: &TestStore,
    identity: &Identity,
    by: &plinth_identity::By,
    email: &str,
    role: Role,
) -> Result<IssuedInvite, Problem> {
    let (identity, by, new) = (identity.clone(), by.clone(), NewInvite { email: email.into(), role });
    act(store, move |tx| identity.create_invite(tx, &by, &new)).await
}

async fn accept(identity: &Identity, token: &str, password: &str) -> Result<OpenedSession, Problem> {
    let accept = AcceptInvite { token: token.into(), password: secret(password), name: "Bob".into() };
    identity.accept_invite(accept, device()).await
}

async fn set_role(
    store: &TestStore,
    identity: &Identity,
    by: &plinth_identity::By,
    id: &MemberId,
    role: Role,
) -> Result<(), Problem> {
    let (identity, by, id) = (identity.clone(), by.clone(), id.clone());
    act(store, move |tx| identity.set_member_role(tx, &by, &id, role).map(|_| ())).await
}

async fn remove(
    store: &TestStore,
    identity: &Identity,
    by: &plinth_identity::By,
    id: &MemberId,
) -> Result<(), Problem> {
    let (identity, by, id) = (identity.clone(), by.clone(), id.clone());
    act(store, move |tx| identity.remove_member(tx, &by, &id)).await
}

fn owner(identity: &Identity, tenant: &TenantId, member: &MemberId) -> plinth_identity::By {
    as_role(identity, tenant, Actor::Member(member.clone()), Role::Owner)
}

both_engines! {
    with (|builder| builder.manual_clock(1))
    async fn the_setup_token_makes_one_owner_however_many_use_it(store: TestStore) {
        let identity = open(&store).await;
        assert!(identity.setup_needed().await.unwrap());
        // Two nodes' terminals each show a token.
        let tokens = [
            identity.issue_setup_token().await.unwrap().unwrap().into_revealed(),
            identity.issue_setup_token().await.unwrap().unwrap().into_revealed(),
        ];
        let attempts: Vec<_> = (0..6).map(|n| {
            let (identity, token) = (identity.clone(), tokens[n % 2].clone());
            tokio::spawn(async move {
                let mut request = setup_request(token);
                request.email = format!("ada{n}@example.com");
                identity.complete_setup(request, device()).await
            })
        }).collect();
        let mut won = Vec::new();
        for attempt in attempts {
            match attempt.await.unwrap() {
                Ok(session) => won.push(session),
                Err(problem) => assert_eq!(problem.code, Code::TokenInvalid),
            }
        }
        assert_eq!(won.len(), 1);
        assert!(!identity.setup_needed().await.unwrap());
        assert!(identity.issue_setup_token().await.unwrap().is_none());
        assert_eq!(count(&store, "SELECT count(*) FROM members").await, 1);
        assert_eq!(count(&store, "SELECT count(*) FROM tenants").await, 2);
        let credential = identity.session(won[0].token.reveal()).await.unwrap();
        assert_eq!(credential.principal.role, Some(Role::Owner));
    }

    with (|builder| builder.manual_clock(1))
    async fn the_setup_token_expires_and_costs_no_hash_when_wrong(store: TestStore) {
        let identity = open(&store).await;
        let token = identity.issue_setup_token().await.unwrap().unwrap().into_revealed();
        store.clock().advance_ms(30 * 60_000);
        for wrong in [token.as_str(), "nonsense", ""] {
            let problem = identity.complete_setup(setup_request(wrong.into()), device()).await.unwrap_err();
            assert_eq!(problem.code, Code::TokenInvalid);
        }
        assert_eq!(identity.passwords().computed(), 0);
        let fresh = identity.issue_setup_token().await.unwrap().unwrap().into_revealed();
        let mut request = setup_request(fresh.clone());
        request.password = secret("password123");
        assert_eq!(identity.complete_setup(request, device()).await.unwrap_err().errors[0].code, "too_common");
        assert!(identity.complete_setup(setup_request(fresh), device()).await.is_ok(), "a fault does not use the token up");
    }

    with (|builder| builder.manual_clock(1))
    async fn login_answers_alike_for_unknown_and_wrong_and_works_as_hard(store: TestStore) {
        let identity = open(&store).await;
        set_up(&identity).await;
        let hashes = async |email: &str, password: &str| {
            let before = identity.passwords().computed();
            let result = identity.login(email, &secret(password), device()).await;
            (result, identity.passwords().computed() - before)
        };
        let (right, work) = hashes(" Ada@Example.COM ", PASSWORD).await;
        assert_eq!(work, 1);
        assert!(identity.session(right.unwrap().token.reveal()).await.is_ok());
        let mut refusals = Vec::new();
        for (email, password) in [
            ("ada@example.com", "wrong password"),
            ("nobody@example.com", PASSWORD),
            ("not an address", PASSWORD),
            ("ada@example.com", &"x".repeat(10_000)),
        ] {
            let (result, work) = hashes(email, password).await;
            assert_eq!(work, 1, "{email}");
            refusals.push(result.unwrap_err());
        }
        assert!(refusals.iter().all(|problem| *problem == refusals[0] && problem.code == Code::InvalidCredentials));
    }

    with (|builder| builder.manual_clock(1))
    async fn guessing_is_slowed_and_forgiven_by_the_clock(store: TestStore) {
        let identity = open(&store).await;
        set_up(&identity).await;
        // Ten failures are free, the eleventh is the first that is followed by a wait.
        for _ in 0..11 {
            let problem = identity.login("ada@example.com", &secret("wrong password"), device()).await.unwrap_err();
            assert_eq!(problem.code, Code::InvalidCredentials);
        }
        let before = identity.passwords().computed();
        let problem = identity.login("ada@example.com", &secret(PASSWORD), device()).await.unwrap_err();
        assert_eq!((problem.code, problem.retry_after_ms), (Code::RateLimited, Some(1_000)));
        assert_eq!(identity.passwords().computed(), before, "a throttled attempt costs no hash");
        store.clock().advance_ms(1_000);
        assert!(identity.login("ada@example.com", &secret(PASSWORD), device()).await.is_ok());
        assert!(identity.login("ada@example.com", &secret(PASSWORD), device()).await.is_ok());
    }

    with (|builder| builder.manual_clock(1))
    async fn an_invitation_is_accepted_once_by_thirty_two_at_a_time(store: TestStore) {
        let identity = open(&store).await;
        let acme = organisation(&store, &identity).await;
        let issued = invite(&store, &identity, &operator(&acme.live.id), "bob@example.com", Role::Developer).await.unwrap();
        let attempts: Vec<_> = (0..32).map(|_| {
            let (identity, token) = (identity.clone(), issued.token.reveal().clone());
            tokio::spawn(async move { accept(&identity, &token, PASSWORD).await })
        }).collect();
        let mut won = Vec::new();
        for attempt in attempts {
            match attempt.await.unwrap() {
                Ok(session) => won.push(session),
                Err(problem) => assert!(matches!(problem.code, Code::Gone | Code::Conflict), "{problem}"),
            }
        }
        assert_eq!(won.len(), 1);
        assert_eq!(count(&store, "SELECT count(*) FROM members").await, 1);
        assert_eq!(count(&store, "SELECT count(*) FROM memberships").await, 1);
        let credential = identity.session(won[0].token.reveal()).await.unwrap();
        assert_eq!((credential.principal.role, &credential.tenant.id), (Some(Role::Developer), &acme.live.id));
    }

    with (|builder| builder.manual_clock(1))
    async fn an_invitation_ends_by_time_by_revocation_and_by_a_newer_one(store: TestStore) {
        let identity = open(&store).await;
        let acme = organisation(&store, &identity).await;
        let by = operator(&acme.live.id);
        let first = invite(&store, &identity, &by, "bob@example.com", Role::Viewer).await.unwrap();
        store.clock().advance_ms(1);
        let second = invite(&store, &identity, &by, "BOB@example.com", Role::Viewer).await.unwrap();
        store.clock().advance_ms(1);
        let third = invite(&store, &identity, &by, "eve@example.com", Role::Viewer).await.unwrap();
        let (revoker, who, id) = (identity.clone(), by.clone(), third.invite.id.clone());
        act(&store, move |tx| revoker.revoke_invite(tx, &who, &id)).await.unwrap();
        store.clock().advance_ms(7 * 24 * 3_600_000 - 2);
        for gone in [first.token.reveal(), third.token.reveal(), "nonsense"] {
            assert_eq!(accept(&identity, gone, PASSWORD).await.unwrap_err().code, Code::Gone);
        }
        store.clock().advance_ms(1);
        assert_eq!(accept(&identity, second.token.reveal(), PASSWORD).await.unwrap_err().code, Code::Gone);
        let (reader, tenant) = (identity.clone(), acme.live.id.clone());
        let listed = act(&store, move |tx| reader.list_invites(tx, &tenant, &PageRequest::default())).await.unwrap();
        let states: Vec<String> = listed.data.iter().map(|i| serde_json::to_value(i.status).unwrap().as_str().unwrap().to_owned()).collect();
        assert_eq!(states, ["revoked", "expired", "revoked"]);
    }

    with (|builder| builder.manual_clock(1))
    async fn a_leaked_invitation_does_not_take_over_an_account(store: TestStore) {
        let identity = open(&store).await;
        set_up(&identity).await;
        let other = organisation(&store, &identity).await;
        let issued = invite(&store, &identity, &operator(&other.live.id), "ada@example.com", Role::Admin).await.unwrap();
        let thief = accept(&identity, issued.token.reveal(), "another password").await.unwrap_err();
        assert_eq!(thief.code, Code::InvalidCredentials);
        let session = accept(&identity, issued.token.reveal(), PASSWORD).await.unwrap();
        let (reader, member, tenant) = (identity.clone(), session.member.clone(), other.live.id.clone());
        let current = act(&store, move |tx| reader.current_session(tx, &member, &tenant)).await.unwrap();
        assert_eq!((current.role, current.member.name.as_str(), current.tenants.len()), (Role::Admin, "Ada", 4));
        assert_eq!(count(&store, "SELECT count(*) FROM members").await, 1);
    }

    with (|builder| builder.manual_clock(1))
    async fn the_last_owner_stays(store: TestStore) {
        let identity = open(&store).await;
        let session = set_up(&identity).await;
        let by = owner(&identity, &session.tenant, &session.member);
        for result in [
            remove(&store, &identity, &by, &session.member).await,
            set_role(&store, &identity, &by, &session.member, Role::Admin).await,
        ] {
            assert_eq!(result.unwrap_err().code, Code::StateConflict);
        }
        let second = invite(&store, &identity, &by, "bob@example.com", Role::Owner).await.unwrap();
        let bob = accept(&identity, second.token.reveal(), PASSWORD).await.unwrap();
        // Both leave at the same moment: one of them must stay.
        let leave = |member: MemberId| {
            let (store, identity, by) = (store.store(), identity.clone(), owner(&identity, &session.tenant, &member));
            tokio::spawn(async move { act(&store, move |tx| identity.remove_member(tx, &by, &member)).await.is_ok() })
        };
        let (ada_left, bob_left) = (leave(session.member.clone()), leave(bob.member.clone()));
        assert!(ada_left.await.unwrap() ^ bob_left.await.unwrap());
        assert_eq!(count(&store, "SELECT count(*) FROM memberships WHERE role = 'owner'").await, 1);
    }

    with (|builder| builder.manual_clock(1))
    async fn only_owners_touch_ownership_and_test_keys_touch_nobody(store: TestStore) {
        let identity = open(&store).await;
        let session = set_up(&identity).await;
        let by = owner(&identity, &session.tenant, &session.member);
        let admin = as_role(&identity, &session.tenant, Actor::Anonymous, Role::Admin);
        for result in [
            set_role(&store, &identity, &admin, &session.member, Role::Viewer).await,
            remove(&store, &identity, &admin, &session.member).await,
            invite(&store, &identity, &admin, "x@example.com", Role::Owner).await.map(|_| ()),
        ] {
            assert_eq!(result.unwrap_err().code, Code::Forbidden);
        }
        let (reader, tenant) = (identity.clone(), session.tenant.clone());
        let twin = act(&store, move |tx| reader.get_tenant(tx, &tenant)).await.unwrap().twin_id;
        let test_key = plinth_identity::By { actor: Actor::Key(store.world().id()), ..operator(&twin) };
        assert_eq!(invite(&store, &identity, &test_key, "x@example.com", Role::Viewer).await.unwrap_err().code, Code::Forbidden);
        // A key that may only invite cannot invite its holder to everything else.
        let inviter = plinth_identity::By {
            kind: plinth_kernel::PrincipalKind::SecretKey,
            role: None,
            scopes: ["identity:members:write"].into_iter().collect(),
            ..by.clone()
        };
        for role in [Role::Admin, Role::Viewer] {
            let refused = invite(&store, &identity, &inviter, "x@example.com", role).await.unwrap_err();
            assert_eq!(refused.code, Code::Forbidden);
        }
        assert!(invite(&store, &identity, &admin, "x@example.com", Role::Admin).await.is_ok());
        let duplicate = invite(&store, &identity, &by, "ada@example.com", Role::Viewer).await.unwrap_err();
        assert_eq!(duplicate.code, Code::Conflict);
        assert_eq!(invite(&store, &identity, &by, "nonsense", Role::Viewer).await.unwrap_err().errors[0].code, "invalid_email");
    }

    with (|builder| builder.manual_clock(1))
    async fn a_changed_role_and_a_removal_are_felt_at_once(store: TestStore) {
        let identity = open(&store).await;
        let elsewhere = open_again(&store).await;
        let session = set_up(&identity).await;
        let by = owner(&identity, &session.tenant, &session.member);
        let issued = invite(&store, &identity, &by, "bob@example.com", Role::Admin).await.unwrap();
        let bob = accept(&identity, issued.token.reveal(), PASSWORD).await.unwrap();
        let bobs = as_role(&identity, &session.tenant, Actor::Member(bob.member.clone()), Role::Admin);
        let personal = plinth_identity::NewKey { kind: plinth_identity::KeyKind::Personal, ..secret_key(&["identity:*", "forms:*"][..1]) };
        assert!(make_key(&store, &identity, &bobs, personal.clone()).await.is_err(), "not even an admin has all of identity:*");
        let personal = plinth_identity::NewKey { scopes: vec!["forms:*".into(), "identity:members:write".into()], ..personal };
        let key = make_key(&store, &identity, &bobs, personal).await.unwrap().text.into_revealed();
        let may = async |identity: &Identity, scope: &str| {
            let session = identity.session(bob.token.reveal()).await.map(|c| c.principal.scopes.contains(scope)).ok();
            let key = identity.key(&key, anywhere()).await.map(|c| c.principal.scopes.contains(scope)).ok();
            (session, key)
        };
        assert_eq!(may(&identity, "identity:members:write").await, (Some(true), Some(true)));
        assert_eq!(may(&elsewhere, "identity:members:write").await, (Some(true), Some(true)));
        set_role(&store, &identity, &by, &bob.member, Role::Viewer).await.unwrap();
        assert_eq!(may(&identity, "identity:members:write").await, (Some(false), Some(false)));
        assert_eq!(may(&identity, "forms:forms:read").await, (Some(true), Some(true)));
        elsewhere.poll_changes().await.unwrap();
        assert_eq!(may(&elsewhere, "identity:members:write").await, (Some(false), Some(false)));
        remove(&store, &identity, &by, &bob.member).await.unwrap();
        assert_eq!(may(&identity, "forms:forms:read").await, (None, None));
        elsewhere.poll_changes().await.unwrap();
        assert_eq!(may(&elsewhere, "forms:forms:read").await, (None, None));
        let homeless = identity.login("bob@example.com", &secret(PASSWORD), device()).await.unwrap_err();
        assert_eq!(homeless.code, Code::Forbidden);
        assert_eq!(remove(&store, &identity, &by, &bob.member).await.unwrap_err().code, Code::NotFound);
    }
}
