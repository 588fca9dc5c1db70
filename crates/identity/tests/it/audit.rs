//! The audit trail.

use plinth_identity::audit::{list_entries, record, verify_chain};
use plinth_identity::{Identity, PageRequest};
use plinth_kernel::{Problem, TenantId};
use plinth_store::args;
use plinth_testkit::{TestStore, both_engines};
use serde_json::json;

use crate::support::*;

async fn write_entries(store: &TestStore, tenant: &TenantId, count: u32) {
    let by = operator(tenant);
    act(store, move |tx| {
        for n in 0..count {
            record(tx, &by, "test.thing.changed", &format!("thing_{n}"), None, Some(&json!({ "n": n })))?;
        }
        Ok(())
    })
    .await
    .unwrap();
}

async fn tamper(store: &TestStore, sql: &'static str, tenant: &TenantId) {
    let tenant = tenant.clone();
    act(store, move |tx| Ok(tx.exec(sql, args![&tenant]).map(|changed| assert_eq!(changed, 1))?))
        .await
        .unwrap();
}

both_engines! {
    with (|builder| builder.manual_clock(1))
    async fn an_intact_chain_verifies_and_every_kind_of_tampering_shows(store: TestStore) {
        let identity: Identity = open(&store).await;
        let acme = organisation(&store, &identity).await;
        let tenant = acme.live.id.clone();
        assert_eq!(verify_chain(&store, &acme.test.id).await.unwrap().intact, 0, "an empty one is intact");
        write_entries(&store, &tenant, 5).await;
        write_entries(&store, &acme.test.id, 3).await;
        let report = verify_chain(&store, &tenant).await.unwrap();
        assert_eq!((report.intact, report.broken_at), (6, None));

        for (sql, undo, broken_at) in [
            ("UPDATE audit_entries SET actor = 'member:x' WHERE tenant_id = $1 AND sequence = 3",
             "UPDATE audit_entries SET actor = 'system:cli' WHERE tenant_id = $1 AND sequence = 3", 3),
            ("UPDATE audit_entries SET after_digest = NULL WHERE tenant_id = $1 AND sequence = 1", "", 1),
        ] {
            tamper(&store, sql, &tenant).await;
            assert_eq!(verify_chain(&store, &tenant).await.unwrap().broken_at, Some(broken_at), "{sql}");
            if !undo.is_empty() {
                tamper(&store, undo, &tenant).await;
                assert_eq!(verify_chain(&store, &tenant).await.unwrap().broken_at, None);
            }
        }
        // Removed in the middle, cut off at the end, moved to another place: on the other tenant's chain.
        let twin = &acme.test.id;
        tamper(&store, "UPDATE audit_entries SET sequence = 99 WHERE tenant_id = $1 AND sequence = 3", twin).await;
        assert_eq!(verify_chain(&store, twin).await.unwrap().broken_at, Some(3), "cut off at the end");
        tamper(&store, "UPDATE audit_entries SET sequence = 3 WHERE tenant_id = $1 AND sequence = 99", twin).await;
        assert_eq!(verify_chain(&store, twin).await.unwrap().broken_at, None);
        tamper(&store, "DELETE FROM audit_entries WHERE tenant_id = $1 AND sequence = 2", twin).await;
        assert_eq!(verify_chain(&store, twin).await.unwrap().broken_at, Some(2), "removed in the middle");
    }

    with (|builder| builder.manual_clock(1))
    async fn concurrent_acts_make_one_chain_without_gaps(store: TestStore) {
        let identity = open(&store).await;
        let acme = organisation(&store, &identity).await;
        let tasks: Vec<_> = (0..24).map(|_| {
            let (store, by) = (store.store(), operator(&acme.live.id));
            tokio::spawn(async move {
                act(&store, move |tx| Ok(record(tx, &by, "test.thing.changed", "t", None, None)?)).await.unwrap()
            })
        }).collect();
        for task in tasks { task.await.unwrap(); }
        let report = verify_chain(&store, &acme.live.id).await.unwrap();
        assert_eq!((report.intact, report.broken_at), (25, None));
    }

    with (|builder| builder.manual_clock(1))
    async fn every_administrative_act_leaves_an_entry_and_an_undone_one_none(store: TestStore) {
        let identity = open(&store).await;
        let session = set_up(&identity).await;
        let by = plinth_identity::By {
            request_id: Some("req_42".into()),
            ip: Some("203.0.113.7".parse().unwrap()),
            ..as_role(&identity, &session.tenant, plinth_kernel::Actor::Member(session.member.clone()), plinth_kernel::Role::Owner)
        };
        let (actor, who) = (identity.clone(), by.clone());
        act(&store, move |tx| {
            let key = actor.create_key(tx, &who, &secret_key(&["forms:*"]))?;
            let next = actor.rotate_key(tx, &who, &key.key.id, None)?;
            actor.revoke_key(tx, &who, &next.key.id)?;
            actor.update_tenant(tx, &who, &plinth_identity::TenantPatch { name: Some("X".into()), ..Default::default() }, None)?;
            actor.create_tenant(tx, &who, "Y")?;
            let invite = actor.create_invite(tx, &who, &plinth_identity::NewInvite { email: "b@example.com".into(), role: plinth_kernel::Role::Viewer })?;
            actor.revoke_invite(tx, &who, &invite.invite.id)?;
            actor.rotate_signing_key(tx, &who, false)?;
            let issuer = actor.create_issuer(tx, &who, &plinth_identity::NewIssuer {
                name: "Auth".into(), issuer: "https://auth.test".into(), jwks_url: "https://auth.test/jwks".into(), scopes: None })?;
            actor.delete_issuer(tx, &who, &issuer.id)
        }).await.unwrap();
        let who = by.clone();
        let actor = identity.clone();
        let undone: Result<(), Problem> = act(&store, move |tx| {
            actor.create_key(tx, &who, &secret_key(&["forms:*"]))?;
            Err(Problem::not_found("thing"))
        }).await;
        assert!(undone.is_err());
        let tenant = session.tenant.clone();
        let page = act(&store, move |tx| list_entries(tx, &tenant, &PageRequest { limit: 100, ..Default::default() })).await.unwrap();
        let actions: Vec<&str> = page.data.iter().map(|entry| entry.action.as_str()).collect();
        assert_eq!(actions, [
            "identity.member.joined", "identity.tenant.created", "identity.key.created", "identity.key.rotated",
            "identity.key.revoked", "identity.tenant.updated", "identity.tenant.created", "identity.invite.created",
            "identity.invite.revoked", "identity.signing_key.rotated", "identity.issuer.created", "identity.issuer.deleted",
        ]);
        let last = page.data.last().unwrap();
        assert_eq!((last.request_id.as_deref(), last.ip.as_deref()), (Some("req_42"), Some("203.0.113.7")));
        assert_eq!(last.actor, format!("member:{}", session.member));
        assert_eq!(verify_chain(&store, &session.tenant).await.unwrap().broken_at, None);
        // The same acts are in the event log.
        assert!(count(&store, "SELECT count(*) FROM events").await >= 11);

        let tenant = session.tenant.clone();
        let newest = act(&store, move |tx| list_entries(tx, &tenant, &PageRequest { limit: 2, after: Some("12".into()), descending: true })).await.unwrap();
        assert_eq!(newest.data.iter().map(|e| e.sequence).collect::<Vec<_>>(), [11, 10]);
        let tenant = session.tenant.clone();
        let bad = act(&store, move |tx| list_entries(tx, &tenant, &PageRequest { after: Some("x".into()), ..Default::default() })).await;
        assert_eq!(bad.unwrap_err().code, plinth_kernel::Code::InvalidCursor);
    }
}
