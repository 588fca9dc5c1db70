//! What goes on beside the requests.

use plinth_testkit::{both_engines, eventually};
use tokio_util::sync::CancellationToken;

use crate::support::*;

both_engines! {
    async fn the_background_task_sees_other_processes_changes_and_writes_usage_on_the_way_out(store: TestStore) {
        let identity = open(&store).await;
        let elsewhere = open_again(&store).await;
        let acme = organisation(&store, &identity).await;
        let by = operator(&acme.live.id);
        let issued = make_key(&store, &identity, &by, secret_key(&["forms:*"])).await.unwrap();
        let other = make_key(&store, &identity, &by, secret_key(&["forms:*"])).await.unwrap();
        let stop = CancellationToken::new();
        let task = tokio::spawn({
            let (elsewhere, stop) = (elsewhere.clone(), stop.clone());
            async move { elsewhere.run(stop).await }
        });
        elsewhere.key(issued.text.reveal(), anywhere()).await.unwrap();
        let (revoker, id) = (identity.clone(), issued.key.id.clone());
        act(&store, move |tx| revoker.revoke_key(tx, &by, &id)).await.unwrap();
        eventually("the other process refuses the key", async || {
            elsewhere.key(issued.text.reveal(), anywhere()).await.is_err().then_some(())
        }).await;
        elsewhere.key(other.text.reveal(), anywhere()).await.unwrap();
        stop.cancel();
        task.await.unwrap();
        let (reader, tenant, id) = (identity.clone(), acme.live.id.clone(), other.key.id.clone());
        let shown = act(&store, move |tx| reader.get_key(tx, &tenant, &id)).await.unwrap();
        assert!(shown.last_used_at.is_some());
    }
}
