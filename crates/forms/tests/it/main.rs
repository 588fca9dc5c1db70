//! The promises of forms, on both engines.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use futures_util::future::join_all;
use http::Method;
use plinth_api::{System, testing::Caller};
use plinth_forms::Forms;
use plinth_kernel::{
    Problem, TraceContext,
    ports::{FormGate, VisitorContext},
};
use plinth_store::owned;
use plinth_testkit::{TestStore, both_engines};
use serde_json::{Value, json};
use std::collections::BTreeMap;

async fn forms(store: &TestStore) -> (Forms, Caller) {
    let forms = Forms::new((**store).clone());
    store.migrate("api", plinth_api::migrations::MIGRATIONS).await.unwrap();
    store.migrate(forms.name(), forms.migrations()).await.unwrap();
    let (router, _) = forms.routes().split_for_parts();
    (forms.clone(), Caller::secret_key(router, store.world()))
}

fn definition() -> Value {
    json!({"lang": 1, "pages": [{"id": "pg_1", "items": [
        {"id": "fl_1", "key": "name", "type": "text", "required": true, "max_length": 40, "label": {"en": "Name"}},
        {"id": "fl_2", "key": "topic", "type": "choice", "choices": [
            {"id": "ch_1", "key": "role", "label": {"en": "A role"}}, {"id": "ch_2", "key": "other"}]}
    ]}]})
}

async fn published(caller: &Caller) -> String {
    let form = caller
        .json(
            Method::POST,
            "/v1/forms",
            &[],
            &json!({"name": "Contact", "external_id": "contact", "definition": definition()}),
        )
        .await;
    assert_eq!(form.status, 201, "{}", form.json());
    let id = form.json()["id"].as_str().unwrap().to_owned();
    publish(caller, &id).await;
    id
}

async fn publish(caller: &Caller, id: &str) {
    let draft = caller.get(&format!("/v1/forms/{id}/draft")).await;
    let answer = caller
        .json(
            Method::POST,
            &format!("/v1/forms/{id}/publish"),
            &[("if-match", draft.header("etag"))],
            &json!({"note": "n"}),
        )
        .await;
    assert_eq!(answer.status, 201, "{}", answer.json());
}

both_engines! {
    async fn a_form_is_drafted_published_and_answered(store: TestStore) {
        let (_, caller) = forms(&store).await;
        let id = published(&caller).await;
        let answer = caller
            .json(Method::POST, "/v1/forms/ext:contact/submissions", &[], &json!({"values": {"name": " Ada ", "topic": "role"}}))
            .await;
        assert_eq!(answer.status, 201, "{}", answer.json());
        let submission = answer.json();
        assert_eq!(submission["values"], json!({"name": "Ada", "topic": "role"}));
        assert_eq!(submission["fields"][1]["display"], "A role");
        let listed = caller.get(&format!("/v1/submissions?form_id={id}")).await.json();
        assert_eq!(listed["data"][0], submission);
        let events: Vec<(String,)> = store.list("SELECT kind FROM events ORDER BY created_at, event_id", owned![]).await.unwrap();
        let kinds: Vec<_> = events.iter().map(|(kind,)| kind.as_str()).collect();
        assert_eq!(kinds, ["forms.form.created", "forms.version.published", "forms.submission.completed"]);
    }

    async fn an_unpublished_form_takes_no_answer_and_an_archived_one_neither(store: TestStore) {
        let (_, caller) = forms(&store).await;
        let form = caller.json(Method::POST, "/v1/forms", &[], &json!({"name": "Draft only"})).await.json();
        let uri = format!("/v1/forms/{}/submissions", form["id"].as_str().unwrap());
        let answer = caller.json(Method::POST, &uri, &[], &json!({"values": {}})).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (409, "state_conflict"));
        let id = published(&caller).await;
        let patched = caller.json(Method::PATCH, &format!("/v1/forms/{id}"), &[], &json!({"state": "archived"})).await;
        assert_eq!(patched.json()["state"], "archived");
        let answer = caller.json(Method::POST, &format!("/v1/forms/{id}/submissions"), &[], &json!({"values": {"name": "A"}})).await;
        assert_eq!(answer.status, 409);
    }

    async fn a_draft_cannot_be_overwritten_blindly(store: TestStore) {
        let (_, caller) = forms(&store).await;
        let id = published(&caller).await;
        let uri = format!("/v1/forms/{id}/draft");
        let body = json!({"definition": definition()});
        assert_eq!(caller.json(Method::PUT, &uri, &[], &body).await.status, 428);
        let tag = caller.get(&uri).await.header("etag").to_owned();
        let saved = caller.json(Method::PUT, &uri, &[("if-match", &tag)], &body).await;
        assert_eq!(saved.status, 200, "{}", saved.json());
        let stale = caller.json(Method::PUT, &uri, &[("if-match", &tag)], &body).await;
        assert_eq!((stale.status.as_u16(), stale.code().as_str()), (412, "precondition_failed"));
        let fresh = caller.send(Method::GET, &uri, &[("if-none-match", saved.header("etag"))], Vec::new()).await;
        assert_eq!((fresh.status.as_u16(), fresh.body.len()), (304, 0));
    }

    async fn of_editors_who_save_at_the_same_moment_one_succeeds(store: TestStore) {
        let (_, caller) = forms(&store).await;
        let id = published(&caller).await;
        let (form, draft) = (format!("/v1/forms/{id}"), format!("/v1/forms/{id}/draft"));
        for round in 1..=3 {
            let (tag, draft_tag) = (caller.get(&form).await.header("etag").to_owned(), caller.get(&draft).await.header("etag").to_owned());
            let body = json!({"definition": definition()});
            let matches = [("if-match", draft_tag.as_str())];
            let saves = (0..6).map(|_| caller.json(Method::PUT, &draft, &matches, &body));
            let mut saved: Vec<u16> = join_all(saves).await.iter().map(|answer| answer.status.as_u16()).collect();
            saved.sort_unstable();
            assert_eq!(saved, [200, 412, 412, 412, 412, 412], "round {round}");
            assert_ne!(caller.get(&form).await.header("etag"), tag, "the draft's revision is part of the form");
            let tag = caller.get(&form).await.header("etag").to_owned();
            let names = json!({"name": "New"});
            let matches = [("if-match", tag.as_str())];
            let renames = (0..6).map(|_| caller.json(Method::PATCH, &form, &matches, &names));
            let mut renamed: Vec<u16> = join_all(renames).await.iter().map(|answer| answer.status.as_u16()).collect();
            renamed.sort_unstable();
            assert_eq!(renamed, [200, 412, 412, 412, 412, 412], "round {round}");
        }
    }

    async fn a_faulty_draft_is_kept_but_not_published(store: TestStore) {
        let (_, caller) = forms(&store).await;
        let faulty = json!({"lang": 1, "pages": [{"id": "p", "items": [{"id": "a", "key": "x", "type": "choice"}]}]});
        let form = caller.json(Method::POST, "/v1/forms", &[], &json!({"name": "F", "definition": faulty})).await.json();
        let id = form["id"].as_str().unwrap();
        let draft = caller.get(&format!("/v1/forms/{id}/draft")).await;
        assert_eq!(draft.json()["faults"][0]["pointer"], "/definition/pages/0/items/0/choices");
        let answer = caller.json(Method::POST, &format!("/v1/forms/{id}/publish"), &[("if-match", draft.header("etag"))], &json!({})).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (422, "validation_failed"));
        assert_eq!(caller.get(&format!("/v1/forms/{id}")).await.json()["live_version"], Value::Null);
    }

    async fn an_old_answer_keeps_its_meaning_when_the_form_changes(store: TestStore) {
        let (_, caller) = forms(&store).await;
        let id = published(&caller).await;
        let old = caller.json(Method::POST, &format!("/v1/forms/{id}/submissions"), &[], &json!({"values": {"name": "Ada", "topic": "role"}})).await.json();
        let mut changed = definition();
        changed["pages"][0]["items"][0]["key"] = json!("full_name");
        changed["pages"][0]["items"][1]["choices"][0]["label"]["en"] = json!("A position");
        let tag = caller.get(&format!("/v1/forms/{id}/draft")).await.header("etag").to_owned();
        caller.json(Method::PUT, &format!("/v1/forms/{id}/draft"), &[("if-match", &tag)], &json!({"definition": changed})).await;
        publish(&caller, &id).await;
        let read = caller.get(&format!("/v1/submissions/{}", old["id"].as_str().unwrap())).await.json();
        assert_eq!(read, old, "it is read with the version that it answers");
        caller.json(Method::POST, &format!("/v1/forms/{id}/submissions"), &[], &json!({"values": {"full_name": "=cmd()", "topic": "role"}})).await;
        let csv = caller.get(&format!("/v1/forms/{id}/submissions.csv")).await;
        let text = String::from_utf8(csv.body).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "submission_id,submitted_at,version,full_name,topic");
        assert!(lines[1].ends_with(",1,Ada,A role"), "{}", lines[1]);
        assert!(lines[2].ends_with(",2,'=cmd(),A position"), "{}", lines[2]);
    }

    async fn the_same_draft_is_not_published_twice(store: TestStore) {
        let (_, caller) = forms(&store).await;
        let id = published(&caller).await;
        let tag = caller.get(&format!("/v1/forms/{id}/draft")).await.header("etag").to_owned();
        let again = caller.json(Method::POST, &format!("/v1/forms/{id}/publish"), &[("if-match", &tag)], &json!({})).await;
        assert_eq!((again.status.as_u16(), again.code().as_str()), (409, "state_conflict"));
    }

    async fn a_program_learns_nothing_and_reaches_nobody(store: TestStore) {
        let (_, caller) = forms(&store).await;
        let id = published(&caller).await;
        let visitor = caller.visitor("v1");
        let answer = visitor.json(Method::POST, &format!("/v1/forms/{id}/submissions"), &[], &json!({"values": {"_website": "http://x", "name": "Bot"}})).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["state"]), (201, &json!("completed")));
        assert_eq!(caller.get("/v1/submissions").await.json()["data"], json!([]));
        assert_eq!(caller.get("/v1/submissions?state=spam").await.json()["data"].as_array().unwrap().len(), 1);
        let completed: Vec<(String,)> = store.list("SELECT event_id FROM events WHERE kind = 'forms.submission.completed'", owned![]).await.unwrap();
        assert!(completed.is_empty());
    }

    async fn one_place_cannot_flood_a_form(store: TestStore) {
        let (_, caller) = forms(&store).await;
        let id = published(&caller).await;
        let uri = format!("/v1/forms/{id}/submissions");
        let body = json!({"values": {"name": "Ada"}});
        for n in 0..10 {
            let visitor = caller.visitor(&format!("v{n}"));
            assert_eq!(visitor.json(Method::POST, &uri, &[], &body).await.status, 201);
        }
        let refused = caller.visitor("v11").json(Method::POST, &uri, &[], &body).await;
        assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "300"));
        let mut elsewhere = caller.visitor("v12");
        elsewhere.client_ip = [192, 0, 2, 7].into();
        assert_eq!(elsewhere.json(Method::POST, &uri, &[], &body).await.status, 201);
        assert_eq!(caller.json(Method::POST, &uri, &[], &body).await.status, 201, "a server speaks for many");
    }

    async fn nobody_sees_another_tenants_forms(store: TestStore) {
        let (_, caller) = forms(&store).await;
        let id = published(&caller).await;
        let submission = caller.json(Method::POST, &format!("/v1/forms/{id}/submissions"), &[], &json!({"values": {"name": "Ada"}})).await.json();
        let stranger = caller.stranger();
        for uri in [
            format!("/v1/forms/{id}"),
            "/v1/forms/ext:contact".into(),
            format!("/v1/forms/{id}/draft"),
            format!("/v1/forms/{id}/versions"),
            format!("/v1/forms/{id}/versions/1"),
            format!("/v1/forms/{id}/published"),
            format!("/v1/forms/{id}/submissions.csv"),
            format!("/v1/submissions/{}", submission["id"].as_str().unwrap()),
            "/v1/forms/nonsense".into(),
        ] {
            let answer = stranger.get(&uri).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "not_found"), "{uri}");
        }
        assert_eq!(stranger.get("/v1/forms").await.json()["data"], json!([]));
        assert_eq!(stranger.get("/v1/submissions").await.json()["data"], json!([]));
    }

    async fn pages_meet_end_to_end_without_gap_or_repeat(store: TestStore) {
        let (_, caller) = forms(&store).await;
        for n in 0..7 {
            caller.json(Method::POST, "/v1/forms", &[], &json!({"name": format!("F{n}")})).await;
        }
        for order in ["asc", "desc"] {
            let (mut names, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = caller.get(&format!("/v1/forms?limit=3&order={order}{cursor}")).await.json();
                names.extend(page["data"].as_array().unwrap().iter().map(|form| form["name"].as_str().unwrap().to_owned()));
                match page["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            let mut sorted = names.clone();
            sorted.sort();
            sorted.dedup();
            assert_eq!((names.len(), sorted.len()), (7, 7), "{order}");
        }
        let page = caller.get("/v1/forms?limit=3").await.json();
        let cursor = page["next_cursor"].as_str().unwrap();
        assert_eq!(caller.stranger().get(&format!("/v1/forms?cursor={cursor}")).await.code(), "invalid_cursor");
        assert_eq!(caller.get(&format!("/v1/forms?state=active&cursor={cursor}")).await.code(), "invalid_cursor");
        assert_eq!(caller.get("/v1/forms?limit=0").await.code(), "invalid_parameter");
        assert_eq!(caller.get("/v1/forms?colour=red").await.code(), "invalid_parameter");
    }

    async fn a_page_without_javascript_sends_once_even_when_reloaded(store: TestStore) {
        let (forms, caller) = forms(&store).await;
        published(&caller).await;
        let gate = forms.gate();
        let tenant = caller.principal.tenant.clone();
        let view = gate.published(&tenant, "contact").await.unwrap().unwrap();
        assert_eq!(view.fields.iter().map(|field| field.key.as_str()).collect::<Vec<_>>(), ["name", "topic"]);
        assert!(gate.published(&tenant, "unknown").await.unwrap().is_none());
        let visitor = VisitorContext {
            tenant: tenant.clone(),
            request_id: "req".into(),
            trace: TraceContext::root(store.world()),
            visitor: "visitor:v1".into(),
            client_ip: "192.0.2.1".into(),
            user_agent: "browser".into(),
        };
        let values = BTreeMap::from([("name".to_owned(), json!("Ada"))]);
        let first = gate.submit(visitor.clone(), "contact", values.clone(), Some("page-1".into())).await.unwrap();
        let unknown_again = VisitorContext { visitor: "visitor:v2".into(), ..visitor.clone() };
        let again = gate.submit(unknown_again, "contact", values, Some("page-1".into())).await.unwrap();
        assert_eq!(first, again);
        assert_eq!(caller.get("/v1/submissions").await.json()["data"].as_array().unwrap().len(), 1);
        let problem: Problem = gate.submit(visitor, "contact", BTreeMap::new(), None).await.unwrap_err();
        assert_eq!(problem.errors[0].pointer.as_deref(), Some("/values/name"));
    }

    async fn the_largest_answer_is_taken_whole(store: TestStore) {
        let (_, caller) = forms(&store).await;
        let items: Vec<Value> = (0..5)
            .map(|n| json!({"id": format!("f{n}"), "key": format!("k{n}"), "type": "long_text", "max_length": 50_000, "label": {"en": "L"}}))
            .collect();
        let definition = json!({"lang": 1, "pages": [{"id": "p", "items": items}]});
        let form = caller.json(Method::POST, "/v1/forms", &[], &json!({"name": "Essay", "definition": definition})).await.json();
        let id = form["id"].as_str().unwrap();
        publish(&caller, id).await;
        let text = "é\"".repeat(12_000);
        let values: BTreeMap<String, String> = (0..5).map(|n| (format!("k{n}"), text.clone())).collect();
        let answer = caller.json(Method::POST, &format!("/v1/forms/{id}/submissions"), &[], &json!({"values": values})).await;
        assert_eq!(answer.status, 201, "{}", answer.code());
        assert_eq!(answer.json()["values"]["k4"].as_str().map(str::len), Some(text.len()));
        let events: Vec<(String,)> = store.list("SELECT data FROM events WHERE kind = 'forms.submission.completed'", owned![]).await.unwrap();
        let data: Value = serde_json::from_str(&events[0].0).unwrap();
        assert_eq!((&data["truncated"], data["fields"].as_array().unwrap().len()), (&json!(true), 5));
    }

    async fn every_tenant_begins_with_a_contact_form(store: TestStore) {
        let (_, caller) = forms(&store).await;
        let tenant = caller.principal.tenant.clone();
        let first = store.write({ let tenant = tenant.clone(); move |tx| plinth_forms::seed_contact_form(tx, &tenant) }).await.unwrap();
        let again = store.write(move |tx| plinth_forms::seed_contact_form(tx, &tenant)).await.unwrap();
        assert_eq!(first, again, "seeding twice changes nothing");
        let good = json!({"values": {"name": "Ada", "email": "ada@example.org", "topic": "role", "message": "Hello there, hello."}});
        assert_eq!(caller.json(Method::POST, "/v1/forms/ext:contact/submissions", &[], &good).await.status, 201);
    }
}
