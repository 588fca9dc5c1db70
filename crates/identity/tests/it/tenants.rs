//! Organisations, tenants and the installation.

use std::sync::Arc;

use plinth_identity::vault::MasterKey;
use plinth_identity::{Config, Identity, NoJwks, PageRequest, TenantPatch};
use plinth_kernel::{Code, Mode, World};
use plinth_testkit::both_engines;
use serde_json::json;

use crate::support::*;

both_engines! {
    with (|builder| builder.manual_clock(1))
    async fn tenants_come_in_pairs_of_one_organisation(store: TestStore) {
        let identity = open(&store).await;
        let acme = organisation(&store, &identity).await;
        assert_eq!((acme.live.mode, acme.test.mode), (Mode::Live, Mode::Test));
        assert_eq!((&acme.live.twin_id, &acme.test.twin_id), (&acme.test.id, &acme.live.id));
        let (maker, by) = (identity.clone(), operator(&acme.live.id));
        let shop = act(&store, move |tx| maker.create_tenant(tx, &by, "Shop")).await.unwrap();
        assert_eq!((shop.organisation_id.clone(), shop.mode), (acme.id.clone(), Mode::Live));
        organisation(&store, &identity).await;
        let (reader, tenant) = (identity.clone(), acme.test.id.clone());
        let listed = act(&store, move |tx| reader.list_tenants(tx, &tenant, &PageRequest::default())).await.unwrap();
        assert_eq!(listed.data.len(), 4, "the other organisation's are not among them");
        let reader = identity.clone();
        let first = act(&store, move |tx| reader.first_tenant(tx)).await.unwrap().unwrap();
        assert_eq!(first.mode, Mode::Live);
    }

    with (|builder| builder.manual_clock(1))
    async fn a_tenant_changes_as_patched_and_only_from_the_revision_read(store: TestStore) {
        let identity = open(&store).await;
        let acme = organisation(&store, &identity).await;
        let by = operator(&acme.live.id);
        let update = async |patch: TenantPatch, rev| {
            let (identity, by) = (identity.clone(), by.clone());
            act(&store, move |tx| identity.update_tenant(tx, &by, &patch, rev)).await
        };
        let settings = |value: serde_json::Value| value.as_object().cloned();
        let one = update(TenantPatch { settings: settings(json!({"a": 1, "b": 2})), ..Default::default() }, Some(1)).await.unwrap();
        assert_eq!((one.rev, one.name.as_str()), (2, "Acme"));
        let two = update(TenantPatch { settings: settings(json!({"a": null, "c": 3})), allowed_origins: Some(vec!["HTTPS://Shop.test:443".into()]), name: Some(" New ".into()) }, None).await.unwrap();
        assert_eq!(serde_json::Value::Object(two.settings), json!({"b": 2, "c": 3}));
        assert_eq!((two.allowed_origins[0].as_str(), two.name.as_str()), ("https://shop.test", "New"));
        assert_eq!(update(TenantPatch::default(), Some(1)).await.unwrap_err().code, Code::PreconditionFailed);
        let big = update(TenantPatch { settings: settings(json!({"x": "y".repeat(20_000)})), allowed_origins: Some(vec!["nonsense".into()]), name: Some(String::new()) }, None).await.unwrap_err();
        assert_eq!(big.errors.iter().map(|e| e.pointer.clone().unwrap()).collect::<Vec<_>>(), ["/name", "/allowed_origins/0", "/settings"]);
    }

    with (|builder| builder.manual_clock(1))
    async fn another_master_key_is_refused_at_the_start(store: TestStore) {
        open(&store).await;
        let (world, _) = World::manual(5);
        let other = Config { master_key: MasterKey::generate(&world), ..config(Arc::new(NoJwks)) };
        let refused = Identity::open(store.store(), other).await.err().unwrap();
        assert!(refused.to_string().contains("master key"), "{refused}");
    }

    with (|builder| builder.manual_clock(1))
    async fn a_visitors_cookie_counts_for_its_tenant_only(store: TestStore) {
        let identity = open(&store).await;
        let acme = organisation(&store, &identity).await;
        let (id, cookie) = identity.new_visitor(&acme.live.id);
        assert_eq!(identity.visitor(&acme.live.id, &cookie), Some(id.as_str()));
        assert_eq!(open_again(&store).await.visitor(&acme.live.id, &cookie), Some(id.as_str()), "any node knows it");
        assert_eq!(identity.visitor(&acme.test.id, &cookie), None);
        let forged = cookie.replacen(&id[..1], if id.starts_with('A') { "B" } else { "A" }, 1);
        for bad in [forged.as_str(), &id, "", "."] {
            assert_eq!(identity.visitor(&acme.live.id, bad), None, "{bad}");
        }
    }
}
