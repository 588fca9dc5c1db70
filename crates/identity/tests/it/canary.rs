//! No secret is where a log line, an answer, an event or a row could show it.

use plinth_identity::{NewUserToken, PageRequest};
use plinth_kernel::Problem;
use plinth_store::args;
use plinth_testkit::both_engines;
use serde_json::json;

use crate::support::*;

both_engines! {
    with (|builder| builder.manual_clock(1))
    async fn secrets_are_nowhere_to_be_read(store: TestStore) {
        let identity = open(&store).await;
        let setup = identity.issue_setup_token().await.unwrap().unwrap();
        let session = identity.complete_setup(setup_request(setup.reveal().clone()), device()).await.unwrap();
        let by = operator(&session.tenant);
        let key = make_key(&store, &identity, &by, secret_key(&["forms:*"])).await.unwrap();
        let (inviter, who) = (identity.clone(), by.clone());
        let invite = act(&store, move |tx| {
            inviter.create_invite(tx, &who, &plinth_identity::NewInvite { email: "b@example.com".into(), role: plinth_kernel::Role::Viewer })
        }).await.unwrap();
        let user = NewUserToken { user_id: "u1".into(), expires_in_seconds: None, scopes: None, channels: vec![], channel_patterns: vec![], info: None };
        let token = identity.mint_user_token(&by, &user).await.unwrap();
        let credential = identity.key(key.text.reveal(), anywhere()).await.unwrap();
        let key_secret = key.text.reveal()[22..65].to_owned();
        let secrets = [
            PASSWORD.to_owned(), setup.reveal().clone(), session.token.reveal().clone(), invite.token.reveal().clone(),
            key_secret, token.token.clone(),
        ];

        let (reader, tenant) = (identity.clone(), session.tenant.clone());
        let keys = act(&store, move |tx| reader.list_keys(tx, &tenant, &PageRequest::default())).await.unwrap();
        let mut shown = format!(
            "{setup:?} {session:?} {key:?} {invite:?} {token:?} {credential:?} {keys:?} {:?}",
            setup_request("x".into())
        );
        shown.push_str(&json!({"key": key.key, "invite": invite.invite, "keys": keys.data}).to_string());
        shown.push_str(&everything_stored(&store).await);
        for secret in &secrets {
            assert!(!shown.contains(secret.as_str()), "a secret is readable: {}…", &secret[..4]);
        }
    }
}

/// Every text and blob of every table that could hold one, blobs as text as far as they are.
async fn everything_stored(store: &plinth_store::Store) -> String {
    store
        .read(|tx| {
            let mut all = String::new();
            for query in [
                "SELECT password_hash FROM members",
                "SELECT scopes || name || handle || last4 FROM api_keys",
                "SELECT email || invited_by FROM invites",
                "SELECT coalesce(user_agent, '') || coalesce(ip, '') FROM sessions",
                "SELECT actor || action || target || coalesce(before_digest, '') || coalesce(after_digest, '') FROM audit_entries",
                "SELECT data FROM events",
                "SELECT kind || subject FROM identity_changes",
                "SELECT key_check FROM installation",
            ] {
                all.push_str(&tx.all::<String>(query, args![])?.join("\n"));
            }
            for query in [
                "SELECT secret_hash FROM api_keys",
                "SELECT token_hash FROM invites",
                "SELECT token_hash FROM sessions",
                "SELECT token_hash FROM setup_tokens",
                "SELECT sealed_seed FROM signing_keys",
            ] {
                for blob in tx.all::<Vec<u8>>(query, args![])? {
                    all.push_str(&String::from_utf8_lossy(&blob));
                }
            }
            Ok::<_, Problem>(all)
        })
        .await
        .unwrap()
}
