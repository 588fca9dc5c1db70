//! The promises of notifications, on both engines, with the real flow runtime underneath.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;
mod smtp;

use futures_util::future::join_all;
use http::Method;
use plinth_testkit::{both_engines, eventually};
use rig::{Rig, member};
use serde_json::{Value, json};
use std::time::Duration;

both_engines! {
    async fn a_contact_message_reaches_inbox_and_outbox(store: TestStore) {
        let rig = Rig::new(&store, vec![member(1), member(2)]).await;
        let flow = rig.start().await;
        rig.contact_message("Ada", "Hello, is the role still open?").await;
        let sent = eventually("four notifications are sent", || async {
            let page = rig.server.get("/v1/notifications?state=sent").await.json();
            (page["data"].as_array().unwrap().len() == 4).then_some(page)
        }).await;
        assert!(sent["data"].as_array().unwrap().iter().all(|n| n["trace_id"] == sent["data"][0]["trace_id"]), "one trace");

        let inbox = rig.member_caller(1).get("/v1/inbox").await.json();
        assert_eq!(inbox["data"][0]["title"], "Ada wrote through Contact");
        assert_eq!(inbox["data"].as_array().unwrap().len(), 1, "each member has an inbox of their own");
        let pushed = rig.pushed();
        assert!(pushed.iter().any(|(channel, data)| channel.ends_with(&format!("/inbox:#{}", member(1).member.unwrap())) && data["unread"] == 1), "{pushed:?}");

        let mails = rig.server.get("/v1/mails").await.json();
        assert_eq!(mails["data"].as_array().unwrap().len(), 2);
        let mail = rig.server.get(&format!("/v1/mails/{}", mails["data"][0]["id"].as_str().unwrap())).await.json();
        assert_eq!(mail["subject"], "New message from Ada");
        assert!(mail["raw"].as_str().unwrap().contains("Message-ID: <ntf_"), "{mail}");
        assert!(mail["html"].as_str().unwrap().contains("Hello, is the role still open?"));

        let detail = rig.notification("email").await;
        assert_eq!(detail["attempts"][0]["outcome"], "done", "{detail}");
        assert_eq!(detail["provider"], "outbox");
        flow.shutdown(Duration::from_secs(5)).await.unwrap();
    }

    async fn an_event_handled_twice_tells_once(store: TestStore) {
        let rig = Rig::new(&store, vec![member(1)]).await;
        rig.contact_message("Ada", "Hello there, once only.").await;
        rig.handle_all_events().await;
        rig.handle_all_events().await;
        let page = rig.server.get("/v1/notifications").await.json();
        assert_eq!(page["data"].as_array().unwrap().len(), 2, "one inbox item and one mail");
    }

    async fn mail_said_before_the_first_sign_in_is_not_lost(store: TestStore) {
        let rig = Rig::new(&store, vec![]).await;
        let flow = rig.start().await;
        rig.contact_message("Ada", "Nobody is here yet, hello?").await;
        let mails = eventually("a mail is in the outbox", || async {
            let page = rig.server.get("/v1/mails").await.json();
            (!page["data"].as_array().unwrap().is_empty()).then_some(page)
        }).await;
        assert_eq!(mails["data"][0]["to"], "owner@localhost");
        flow.shutdown(Duration::from_secs(5)).await.unwrap();
    }

    async fn a_disabled_workflow_and_a_failed_condition_tell_nobody(store: TestStore) {
        let rig = Rig::new(&store, vec![member(1)]).await;
        let workflow = rig.server.get("/v1/workflows/ext:contact").await;
        let tag = workflow.header("etag").to_owned();
        let id = workflow.json()["id"].as_str().unwrap().to_owned();
        let off = rig.server.json(Method::PATCH, &format!("/v1/workflows/{id}"), &[("if-match", &tag)], &json!({"enabled": false})).await;
        assert_eq!(off.json()["enabled"], false, "{}", off.json());
        rig.contact_message("Ada", "Is anybody listening?").await;
        rig.submission_of("newsletter").await;
        rig.handle_all_events().await;
        assert_eq!(rig.server.get("/v1/notifications").await.json()["data"], json!([]));
    }

    async fn reading_is_told_to_the_other_devices(store: TestStore) {
        let rig = Rig::new(&store, vec![member(1)]).await;
        for n in 0..3 {
            rig.contact_message("Ada", &format!("Message number {n} to read.")).await;
        }
        rig.handle_all_events().await;
        let me = rig.member_caller(1);
        assert_eq!(me.get("/v1/inbox/summary").await.json()["unread"], 3);
        let first = me.get("/v1/inbox").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
        let read = me.json(Method::POST, &format!("/v1/inbox/{first}/read"), &[], &Value::Null).await;
        assert_ne!(read.json()["read_at"], Value::Null, "{}", read.json());
        assert_eq!(me.get("/v1/inbox?unread=true").await.json()["data"].as_array().unwrap().len(), 2);
        assert_eq!(me.json(Method::POST, "/v1/inbox/read-all", &[], &Value::Null).await.json()["unread"], 0);
        assert!(rig.pushed().iter().any(|(_, data)| data["type"] == "inbox.read" && data["unread"] == 0));
        assert_eq!(rig.member_caller(2).json(Method::POST, &format!("/v1/inbox/{first}/read"), &[], &Value::Null).await.status, 404);
        assert_eq!(rig.server.get("/v1/inbox").await.code(), "forbidden", "a key has no inbox");
    }

    async fn another_tenant_sees_nothing(store: TestStore) {
        let rig = Rig::new(&store, vec![member(1)]).await;
        rig.contact_message("Ada", "For our eyes only, please.").await;
        rig.handle_all_events().await;
        let stranger = rig.server.stranger();
        let id = rig.notification("in_app").await["id"].as_str().unwrap().to_owned();
        for uri in [format!("/v1/notifications/{id}"), "/v1/workflows/ext:contact".into(), "/v1/mails/eml_00000000000000000000000001".into()] {
            assert_eq!(stranger.get(&uri).await.status, 404, "{uri}");
        }
        for uri in ["/v1/notifications", "/v1/workflows", "/v1/mails"] {
            assert_eq!(stranger.get(uri).await.json()["data"], json!([]), "{uri}");
        }
    }

    async fn what_was_given_up_without_a_word_can_be_sent_again(store: TestStore) {
        let rig = Rig::new(&store, vec![member(1)]).await;
        rig.contact_message("Ada", "Nobody is at work yet, so this waits.").await;
        rig.handle_all_events().await;
        let detail = rig.notification("email").await;
        let uri = format!("/v1/notifications/{}/replay", detail["id"].as_str().unwrap());
        let early = rig.server.json(Method::POST, &uri, &[], &Value::Null).await;
        assert_eq!((early.status.as_u16(), early.code().as_str()), (409, "state_conflict"), "it is still under way");
        let (tenant, job) = (rig.server.principal.tenant.clone(), detail["job_id"].as_str().unwrap().parse().unwrap());
        store.write(move |tx| plinth_flow::cancel(tx, &tenant, &job)).await.unwrap();
        assert_eq!(rig.server.json(Method::POST, &uri, &[], &Value::Null).await.status, 202);
        let flow = rig.start().await;
        eventually("it is sent after all", || async {
            (rig.notification("email").await["state"] == "sent").then_some(())
        }).await;
        flow.shutdown(Duration::from_secs(5)).await.unwrap();
    }

    async fn a_mail_whose_job_dies_with_nobody_to_say_so_is_failed(store: TestStore) {
        let rig = Rig::new(&store, vec![member(1)]).await;
        let watch = rig.server.json(Method::POST, "/v1/workflows", &[], &json!({
            "name": "Dead letters", "trigger": {"event": "flow.job.died"},
            "steps": [
                {"channel": "email", "id": "mail", "to": {"members": "all"}, "subject": "{{ data.kind }}", "text": "{{ data.error }}"},
                {"channel": "in_app", "id": "inbox", "to": {"members": "all"}, "title": "{{ data.kind }} was given up", "body": ""},
            ]})).await;
        assert_eq!(watch.status, 201, "{}", watch.json());
        rig.contact_message("Ada", "By the time anybody is at work, this is no longer wanted.").await;
        rig.handle_all_events().await;
        let (tenant, job) = (rig.server.principal.tenant.clone(), rig.notification("email").await["job_id"].clone());
        let expire = "UPDATE flow_jobs SET expires_at = 1 WHERE tenant_id = $1 AND job_id = $2";
        store
            .write(move |tx| tx.exec(expire, plinth_store::args![&tenant, job.as_str().unwrap()]))
            .await
            .unwrap();
        let flow = rig.start().await;
        let detail = eventually("its job is given up, and then so is it", || async {
            let detail = rig.notification("email").await;
            (detail["state"] == "failed").then_some(detail)
        }).await;
        assert!(detail["last_error"].as_str().unwrap().contains("expired"), "{detail}");
        assert_eq!((detail["job_state"].as_str(), detail["attempts"].as_array().unwrap().len()), (Some("dead"), 0));
        let me = rig.member_caller(1);
        eventually("the inbox tells of it", || async {
            (me.get("/v1/inbox").await.json()["data"][0]["title"] == "notify.send_email was given up").then_some(())
        }).await;
        let mails = rig.server.get("/v1/notifications?channel=email").await.json();
        assert_eq!(mails["data"].as_array().unwrap().len(), 1, "no mail about a mail that could not be sent");
        flow.shutdown(Duration::from_secs(5)).await.unwrap();
    }

    async fn of_two_who_change_a_workflow_at_the_same_moment_one_succeeds(store: TestStore) {
        let rig = Rig::new(&store, vec![]).await;
        let uri = "/v1/workflows/ext:contact";
        for _ in 0..3 {
            let tag = rig.server.get(uri).await.header("etag").to_owned();
            let (matches, body) = ([("if-match", tag.as_str())], json!({"name": "Changed"}));
            let changes = (0..6).map(|_| rig.server.json(Method::PATCH, uri, &matches, &body));
            let mut statuses: Vec<u16> = join_all(changes).await.iter().map(|answer| answer.status.as_u16()).collect();
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 412, 412, 412, 412, 412]);
        }
    }

    async fn a_faulty_workflow_is_refused_with_every_place(store: TestStore) {
        let rig = Rig::new(&store, vec![]).await;
        let answer = rig.server.json(Method::POST, "/v1/workflows", &[], &json!({
            "name": "", "trigger": {"event": "notify.loop"},
            "steps": [{"channel": "email", "id": "m", "to": {"address": "x"}, "subject": "{{", "text": ""}]})).await;
        let pointers: Vec<_> = answer.json()["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap().to_owned()).collect();
        assert_eq!((answer.status.as_u16(), pointers.len()), (422, 4), "{pointers:?}");
    }
}
