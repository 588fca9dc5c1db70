//! Every operation of the served contract, as everybody who must not: nobody, another tenant with every scope and the
//! real ids, a key that lacks the one scope, a publishable key, an end user. Then as the owner, who may.
//!
//! The list of operations comes from `/openapi.json`, so an operation that is new here has no entry and fails the test.

use crate::support::{Answer, Client, Home, Server, contact_values, cookie_of, on_both_engines, set_up};
use plinth_testkit::eventually;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::atomic::{AtomicU32, Ordering},
};

/// Rates that many tests in a minute from one address stay below.
const RATES: &[(&str, &str)] = &[
    ("PLINTH_LIMITS__TENANT_PER_MINUTE", "1000000"),
    ("PLINTH_LIMITS__TENANT_WRITES_PER_MINUTE", "1000000"),
    ("PLINTH_LIMITS__CALLER_PER_MINUTE", "1000000"),
    ("PLINTH_LIMITS__ADDRESS_PER_MINUTE", "1000000"),
];
static ISSUERS: AtomicU32 = AtomicU32::new(0);
/// The page that the publishable key is for.
const ORIGIN: &str = "https://shop.example";
/// A moment at which nothing is tried again while the test runs, in microseconds since 1970.
const MUCH_LATER: i64 = 4_000_000_000_000_000;

/// An operation of the contract.
#[derive(Debug, Clone)]
struct Operation {
    id: String,
    method: String,
    path: String,
    /// Who may call it, with the scope they need.
    callers: BTreeMap<String, Option<String>>,
    /// Nobody may call it, too.
    anonymous: bool,
    takes_body: bool,
    /// What it answers when all is well.
    good: Vec<u16>,
}

impl Operation {
    fn all(document: &Value) -> Vec<Self> {
        let mut found = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                found.push(Self::read(path, method, operation));
            }
        }
        assert!(found.len() > 50, "the contract has {} operations", found.len());
        found
    }

    fn read(path: &str, method: &str, operation: &Value) -> Self {
        let schemes = operation["security"].as_array().unwrap();
        let callers = schemes
            .iter()
            .flat_map(|scheme| scheme.as_object().unwrap())
            .map(|(kind, scopes)| (kind.clone(), scopes[0].as_str().map(str::to_owned)));
        let good =
            operation["responses"].as_object().unwrap().keys().filter_map(|status| status.parse().ok());
        Self {
            id: operation["operationId"].as_str().unwrap().to_owned(),
            method: method.to_uppercase(),
            path: path.to_owned(),
            callers: callers.collect(),
            anonymous: schemes.iter().any(|scheme| scheme.as_object().unwrap().is_empty()),
            takes_body: !operation["requestBody"].is_null(),
            good: good.filter(|status| *status < 300).collect(),
        }
    }

    fn has_parameters(&self) -> bool {
        self.path.contains('{')
    }

    /// In the owner's round: what removes and what ends a session comes last.
    fn rank(&self) -> usize {
        match (self.id.as_str(), self.method.as_str()) {
            ("end_session", _) => 7,
            ("switch_tenant", _) => 6,
            ("replay_dead_jobs", _) => 4,
            (_, "GET") => 0,
            (_, "PUT") => 1,
            (_, "PATCH") => 2,
            (_, "POST") => 3,
            _ => 5,
        }
    }

    /// The path with the victim's own ids.
    fn target(&self, things: &Things) -> String {
        let parts = self.path.split('/').map(|part| match part.strip_prefix('{') {
            None => part.to_owned(),
            Some(name) => {
                let (name, rest) = name.split_once('}').unwrap();
                format!("{}{rest}", things.get(self.thing(name)))
            }
        });
        let path = parts.collect::<Vec<_>>().join("/");
        match self.id.as_str() {
            // The victim's ids as filters must not lead anywhere either.
            "list_submissions" => format!("{path}?form_id={}", things.get("form")),
            "list_events" => format!("{path}?subject={}", things.get("submission")),
            _ => path,
        }
    }

    /// Which of the victim's things a path parameter stands for. What an operation uses up, it has for itself.
    fn thing(&self, parameter: &str) -> &'static str {
        let resource = self.path.trim_start_matches("/v1/").split('/').next().unwrap();
        match (self.id.as_str(), resource, parameter) {
            ("delete_form", ..) => "spare_form",
            ("save_form_draft" | "publish_form", ..) => "drafted_form",
            ("delete_submission", ..) => "spare_submission",
            ("delete_workflow", ..) => "spare_workflow",
            ("remove_member", ..) => "spare_member",
            ("rotate_api_key", ..) => "spare_key",
            ("delete_token_issuer", ..) => "issuer",
            ("replay_notification", ..) => "failed_notification",
            ("replay_job", ..) => "dead_job",
            ("cancel_job", ..) => "retrying_job",
            (_, "forms", "id") => "form",
            (_, "forms", "number") => "version",
            (_, "submissions", "id") => "submission",
            (_, "workflows", "id") => "workflow",
            (_, "notifications", "id") => "notification",
            (_, "inbox", "id") => "inbox_item",
            (_, "mails", "id") => "mail",
            (_, "assistant", "id") => "conversation",
            (_, "assistant", "message_id") => "message",
            (_, "api-keys", "id") => "key",
            (_, "members", "id") => "member",
            (_, "invites", "id") => "invite",
            (_, "token-issuers", "id") => "issuer",
            (_, "events", "id") => "event",
            (_, "parked-events", "id") => "parked_event",
            (_, "jobs", "id") => "job",
            (_, "traces", "trace_id") => "trace",
            (_, "requests", "id") => "request",
            _ => {
                panic!("{}: who provides {parameter:?} of {}? Add it to Operation::thing", self.id, self.path)
            }
        }
    }

    /// A body that is good.
    fn body(&self, things: &Things) -> Option<Value> {
        if !self.takes_body {
            return None;
        }
        Some(match self.id.as_str() {
            "create_form" => json!({"name": "Another form"}),
            "update_form" => json!({"name": "Renamed"}),
            "save_form_draft" => json!({"definition": definition("Changed")}),
            "publish_form" => json!({"note": "A new title"}),
            "create_submission" => contact_values("Somebody"),
            "create_workflow" => workflow("Another workflow", "team@example.org"),
            "update_workflow" => json!({"name": "Renamed"}),
            "chat_with_assistant" => json!({"message": "Which databases does he know?", "stream": false}),
            "stop_assistant" => json!({}),
            "rate_assistant_message" => json!({"rating": 1}),
            "request_assistant_handover" => json!({"email": "ada@example.org"}),
            "create_chat_completion" => {
                json!({"model": "site-assistant", "messages": [{"role": "user", "content": "Which databases?"}]})
            }
            "complete_setup" => {
                json!({"token": "wrong", "email": "x@example.org", "password": "long enough it is",
                "name": "X", "organisation": "X"})
            }
            "open_session" => json!({"email": "owner@example.org", "password": "wrong password"}),
            "switch_tenant" => json!({"tenant_id": things.get("tenant")}),
            "accept_invite" => json!({"token": "wrong", "password": "long enough it is", "name": "X"}),
            "create_api_key" => json!({"kind": "secret", "name": "Another", "scopes": ["forms:forms:read"]}),
            "rotate_api_key" => json!({"overlap_seconds": 60}),
            "invite_member" => json!({"email": "somebody@example.org", "role": "viewer"}),
            "update_member" => json!({"role": "viewer"}),
            "create_tenant" => json!({"name": "Another tenant"}),
            "update_tenant" => json!({"settings": {}}),
            "create_user_token" => json!({"user_id": "customer-42"}),
            // An issuer is trusted once, so everybody who tries has one of their own.
            "create_token_issuer" => {
                issuer(&format!("https://login-{}.example.com/", ISSUERS.fetch_add(1, Ordering::Relaxed)))
            }
            "replay_dead_jobs" => json!({}),
            id => panic!("{id} takes a body: add a good one to Operation::body"),
        })
    }

    /// What somebody gets who may call it, but is a stranger to the things that are named.
    fn for_strangers(&self) -> u16 {
        match self.id.as_str() {
            "create_submission" => 201,
            "get_published_form"
            | "chat_with_assistant"
            | "list_assistant_suggestions"
            | "get_assistant_config"
            | "get_site_figures"
            | "get_me"
            | "get_limits" => 200,
            // Erasing and stopping what is not there is no fault.
            "delete_assistant_chat" => 204,
            "stop_assistant"
            | "follow_assistant_stream"
            | "get_assistant_chat"
            | "rate_assistant_message"
            | "request_assistant_handover" => 404,
            "get_setup" | "get_jwks" => 200,
            "complete_setup" | "open_session" => 401,
            // An invitation that is none is like one that is over.
            "accept_invite" => 410,
            id => panic!("{id} lets strangers in: say in Operation::for_strangers what they get"),
        }
    }
}

/// The victim's things, by what they are.
#[derive(Debug, Default)]
struct Things(BTreeMap<&'static str, String>);

impl Things {
    fn get(&self, name: &str) -> &str {
        self.0.get(name).unwrap_or_else(|| panic!("the fixture has no {name}"))
    }

    fn put(&mut self, name: &'static str, id: &Value) {
        let id = id.as_str().unwrap_or_else(|| panic!("no id for {name}: {id}"));
        self.0.insert(name, id.to_owned());
    }

    /// The first of these that `text` gives away. A version's number is no secret.
    fn leak<'a>(&'a self, text: &str) -> Option<&'a str> {
        self.0
            .iter()
            .find(|(name, id)| **name != "version" && text.contains(id.as_str()))
            .map(|(name, _)| *name)
    }
}

fn definition(title: &str) -> Value {
    json!({"lang": 1, "default_locale": "en", "title": {"en": title}, "pages": [{"id": "pg_1", "items": [
        {"id": "fl_1", "key": "name", "type": "text", "label": {"en": "Name"}}]}]})
}

fn workflow(name: &str, address: &str) -> Value {
    json!({"name": name, "trigger": {"event": "forms.submission.completed"}, "steps": [
        {"channel": "email", "id": "tell", "to": {"address": address}, "subject": "New", "text": "Something came."}]})
}

fn issuer(address: &str) -> Value {
    json!({"name": "Our login", "issuer": address, "jwks_url": "https://login.example.com/.well-known/jwks.json"})
}

/// A mail server that refuses `refused…` for good, `later…` for now, and takes everything else.
fn mail_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || converse(&stream));
        }
    });
    port
}

fn converse(mut stream: &TcpStream) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let _ = stream.write_all(b"220 mail.example\r\n");
    while let Some(line) = lines.next() {
        let answer = match line.get(..4).unwrap_or("").to_ascii_uppercase().as_str() {
            "RCPT" if line.contains("refused") => "550 5.1.1 no such mailbox",
            "RCPT" if line.contains("later") => "451 4.3.0 try again later",
            "DATA" => {
                let _ = stream.write_all(b"354 go on\r\n");
                lines.by_ref().take_while(|line| line != ".").for_each(drop);
                "250 taken"
            }
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        if stream.write_all(format!("{answer}\r\n").as_bytes()).is_err() {
            return;
        }
    }
}

/// Two organisations: the victim, with one of everything, and the intruder.
struct Scene {
    server: Server,
    things: Things,
    owner: Client,
    session: Client,
    intruder: Client,
    intruding_member: Client,
    publishable: Client,
    end_user: Client,
}

impl Scene {
    async fn set(home: &Home, operations: &[Operation]) -> Self {
        let (tenant, _) = home.organisation("Victim");
        let (other, _) = home.organisation("Intruder");
        let (key, other_key) = (home.key(&tenant), home.key(&other));
        let public = home.run(&["key", "create", "--tenant", &tenant, "--publishable", "--origin", ORIGIN]);
        let mut things = Things::default();
        things.put("tenant", &json!(tenant));

        // While there is no mail server, mail is written to files.
        let server = home.start_with(&[], RATES);
        let cookie = set_up(&server).await;
        let owner = server.client().bearer(&key);
        put_things(&mut things, &owner, &server.client().cookie(&cookie)).await;
        server.stop();

        // With one, it can be refused.
        let port = mail_server().to_string();
        let mut settings = RATES.to_vec();
        settings.extend([
            ("PLINTH_MAIL__SMTP__HOST", "127.0.0.1"),
            ("PLINTH_MAIL__SMTP__PORT", port.as_str()),
            ("PLINTH_MAIL__SMTP__TLS", "none"),
        ]);
        let server = home.start_with(&[], &settings);
        put_failures(&mut things, &server.client().bearer(&key)).await;
        server.stop();
        park_an_event(home, &mut things).await;

        let server = home.start_with(&[], &settings);
        let (owner, intruder) = (server.client().bearer(&key), server.client().bearer(&other_key));
        let me = owner.get("/v1/me").await;
        things.put("request", &json!(me.header("x-request-id")));
        eventually("the request is in the log", || async {
            (owner.get(&format!("/v1/requests/{}", me.header("x-request-id"))).await.status == 200)
                .then_some(())
        })
        .await;
        let token = owner.post("/v1/user-tokens", &json!({"user_id": "customer-1"})).await.expect(201);
        let intruding_member = join(&server.client(), &intruder, "intruder@example.com", "admin").await;
        let public = server.client().bearer(public.trim()).with("origin", ORIGIN);
        let scene = Self {
            things,
            session: server.client().cookie(&cookie),
            end_user: server.client().bearer(token["token"].as_str().unwrap()),
            publishable: public,
            intruding_member,
            owner,
            intruder,
            server,
        };
        assert_eq!(
            Operation::all(&scene.owner.get("/openapi.json").await.expect(200)).len(),
            operations.len()
        );
        scene
    }

    async fn ask(&self, who: &Client, operation: &Operation) -> Answer {
        let mut request = who.request(operation.method.parse().unwrap(), &operation.target(&self.things));
        let guarded = match operation.id.as_str() {
            "save_form_draft" | "publish_form" => {
                Some(format!("/v1/forms/{}/draft", self.things.get("drafted_form")))
            }
            "update_workflow" => Some(operation.target(&self.things)),
            _ => None,
        };
        if let Some(path) = guarded {
            // The right tag: only the tenant may be what is wrong.
            request = request.header("if-match", self.owner.get(&path).await.header("etag"));
        }
        if let Some(body) = operation.body(&self.things) {
            request = request.json(&body);
        }
        who.send(request).await
    }

    /// Everything that the victim has, but for what their own looking at it changes.
    async fn picture(&self) -> BTreeMap<String, Value> {
        let mut picture = BTreeMap::new();
        let form = format!("/v1/forms/{}", self.things.get("form"));
        let lists = [
            "/v1/forms",
            "/v1/submissions",
            "/v1/workflows",
            "/v1/notifications",
            "/v1/mails",
            "/v1/members",
            "/v1/invites",
            "/v1/tenants",
            "/v1/token-issuers",
            "/v1/audit-entries",
            "/v1/events",
            "/v1/jobs",
            "/v1/parked-events",
            "/v1/assistant/conversations",
            "/v1/api-keys",
        ];
        for path in lists {
            let mut rows = self.owner.list(path).await;
            rows.iter_mut().for_each(|row| drop(row.as_object_mut().unwrap().remove("last_used_at")));
            picture.insert(path.to_owned(), rows.into());
        }
        picture.insert("inbox".into(), self.session.list("/v1/inbox").await.into());
        let conversation = format!("/v1/assistant/conversations/{}", self.things.get("conversation"));
        for path in [format!("{form}/draft"), format!("{form}/versions"), "/v1/tenant".into(), conversation] {
            picture.insert(path.clone(), self.owner.get(&path).await.expect(200));
        }
        picture
    }
}

/// Invites somebody and takes the invitation up; returns them, signed in.
async fn join(nobody: &Client, inviter: &Client, email: &str, role: &str) -> Client {
    let invite = inviter.post("/v1/members", &json!({"email": email, "role": role})).await.expect(201);
    let token = invite["url"].as_str().unwrap().rsplit('=').next().unwrap();
    let body = json!({"token": token, "password": "long enough it is", "name": "Somebody"});
    let accepted = nobody.post("/v1/invites/accept", &body).await;
    accepted.expect(201);
    nobody.cookie(&cookie_of(&accepted))
}

async fn put_things(things: &mut Things, owner: &Client, session: &Client) {
    let form = owner.get("/v1/forms/ext:contact").await.expect(200);
    things.put("form", &form["id"]);
    things.put("version", &json!("1"));
    let spare = owner.post("/v1/forms", &json!({"name": "Spare", "external_id": "spare"})).await.expect(201);
    things.put("spare_form", &spare["id"]);
    let drafted = json!({"name": "Drafted", "definition": definition("Drafted")});
    things.put("drafted_form", &owner.post("/v1/forms", &drafted).await.expect(201)["id"]);
    for name in ["submission", "spare_submission"] {
        let made = owner.post("/v1/forms/ext:contact/submissions", &contact_values(name)).await.expect(201);
        things.put(name, &made["id"]);
        things.put("trace", &made["trace_id"]);
    }
    let nowhere = json!({"name": "Spare", "trigger": {"event": "forms.form.deleted"}, "steps": workflow("", "a@example.org")["steps"]});
    let spare = owner.post("/v1/workflows", &nowhere).await.expect(201);
    things.put("spare_workflow", &spare["id"]);
    things.put("workflow", &owner.list("/v1/workflows").await.last().unwrap()["id"]);

    for name in ["key", "spare_key"] {
        let new = json!({"kind": "secret", "name": name, "scopes": ["forms:forms:read"]});
        things.put(name, &owner.post("/v1/api-keys", &new).await.expect(201)["id"]);
    }
    let nobody = Client::new(&owner.base);
    for name in ["member", "spare_member"] {
        let theirs = join(&nobody, session, &format!("{name}@example.org"), "developer").await;
        things.put(name, &theirs.get("/v1/session").await.expect(200)["member"]["id"]);
    }
    let invite = session
        .post("/v1/members", &json!({"email": "invited@example.org", "role": "viewer"}))
        .await
        .expect(201);
    things.put("invite", &invite["id"]);
    let made = owner.post("/v1/token-issuers", &issuer("https://login.example.com/")).await.expect(201);
    things.put("issuer", &made["id"]);

    let question = json!({"id": "private", "message": "Which databases does he know?", "stream": false});
    let answer = owner.post("/v1/assistant/chat", &question).await.expect(200);
    things.put("message", &answer["id"]);
    let chat = owner.get("/v1/assistant/chat/private").await.expect(200);
    things.put("conversation", &chat["id"]);

    let mail = eventually("a mail, a message and their notifications", || async {
        let sent = owner.list("/v1/notifications").await.iter().filter(|row| row["state"] == "sent").count();
        let mails = owner.list("/v1/mails").await;
        (sent == 4 && mails.len() == 2).then(|| mails[0]["id"].clone())
    })
    .await;
    things.put("mail", &mail);
    things.put("inbox_item", &session.list("/v1/inbox").await[0]["id"]);
    things.put("notification", &owner.list("/v1/notifications").await[0]["id"]);
    things.put("event", &owner.list("/v1/events?type=forms.submission.completed").await[0]["id"]);
    things.put("job", &owner.list("/v1/jobs?state=done").await[0]["id"]);
}

/// Jobs and notifications that the mail server refuses.
async fn put_failures(things: &mut Things, owner: &Client) {
    for address in ["refused-once@example.org", "refused-twice@example.org", "later@example.net"] {
        owner.post("/v1/workflows", &workflow(address, address)).await.expect(201);
    }
    owner.post("/v1/forms/ext:contact/submissions", &contact_values("Refused")).await.expect(201);
    let (dead, retrying) = eventually("two jobs dead and one to be tried again", || async {
        let (dead, retrying) =
            (owner.list("/v1/jobs?state=dead").await, owner.list("/v1/jobs?state=retrying").await);
        (dead.len() == 2 && retrying.len() == 1).then_some((dead, retrying))
    })
    .await;
    things.put("dead_job", &dead[0]["id"]);
    things.put("retrying_job", &retrying[0]["id"]);
    things.put("failed_notification", &dead[1]["payload"]["notification_id"]);
}

/// Puts an event aside as its consumer would after many failures, and lets nothing be tried again meanwhile.
async fn park_an_event(home: &Home, things: &mut Things) {
    let store = home.store().await;
    let (tenant, event) = (things.get("tenant").to_owned(), things.get("event").to_owned());
    let done: Result<(), plinth_store::Error> = store
        .write(move |tx| {
            tx.exec(
                "INSERT INTO flow_parked_events (tenant_id, event_id, consumer, partition, sequence, kind, subject,
                     trace_id, state, tries, last_error, parked_at, updated_at)
                 SELECT tenant_id, event_id, 'notify.planner', partition, sequence, kind, subject, trace_id, 'parked', 10,
                     'it failed', created_at, created_at
                 FROM events WHERE tenant_id = $1 AND event_id = $2",
                plinth_store::args![&tenant, &event],
            )?;
            tx.exec(
                "UPDATE flow_jobs SET run_at = $2 WHERE tenant_id = $1 AND state = 'retrying'",
                plinth_store::args![&tenant, MUCH_LATER],
            )?;
            Ok(())
        })
        .await;
    done.unwrap();
    store.close().await;
    things.put("parked_event", &json!(format!("{}.notify.planner", things.get("event"))));
}

/// For each scope a key of the victim's that has every other one.
async fn keys_that_lack_one(scene: &Scene, operations: &[Operation]) -> BTreeMap<String, Client> {
    let scopes =
        operations.iter().filter_map(|operation| operation.callers.get("secret_key").cloned().flatten());
    let scopes: BTreeSet<String> = scopes.collect();
    let mut keys = BTreeMap::new();
    for missing in &scopes {
        let others: Vec<_> = scopes.iter().filter(|scope| *scope != missing).collect();
        let new = json!({"kind": "secret", "name": format!("All but {missing}"), "scopes": others});
        let made = scene.session.post("/v1/api-keys", &new).await.expect(201);
        keys.insert(missing.clone(), scene.server.client().bearer(made["secret"].as_str().unwrap()));
    }
    keys
}

on_both_engines! {
    async fn no_operation_gives_or_changes_what_is_not_the_callers(home: Home) {
        let document: Value = serde_json::from_str(&home.run(&["openapi"])).unwrap();
        let operations = Operation::all(&document);
        let scene = Scene::set(&home, &operations).await;
        let narrow = keys_that_lack_one(&scene, &operations).await;
        let before = scene.picture().await;

        // What names nothing comes first: an intruder's own request log tells what they asked for by name.
        let mut first = operations.clone();
        first.sort_by_key(Operation::has_parameters);
        for operation in &first {
            nobody_is_refused(&scene, operation).await;
            another_tenant_finds_nothing(&scene, operation).await;
            the_scope_is_needed(&scene, &narrow, operation).await;
            strangers_are_kept_out(&scene, operation).await;
        }
        a_cursor_is_for_its_tenant_alone(&scene).await;
        let after = scene.picture().await;
        for (what, was) in &before {
            assert_eq!(&after[what], was, "somebody changed {what}");
        }

        for operation in &operations {
            strangers_may_do_what_is_for_strangers(&scene, operation).await;
        }
        let mut last = operations.clone();
        last.sort_by_key(Operation::rank);
        for operation in last.iter().filter(|operation| !operation.anonymous) {
            the_owner_may(&scene, operation).await;
        }
        println!("{} operations", operations.len());
        scene.server.stop();
    }
}

/// (a)
async fn nobody_is_refused(scene: &Scene, operation: &Operation) {
    if operation.anonymous || operation.callers.contains_key("visitor") {
        return;
    }
    // As a page of ours would send it, so that it is the credential that is missing and nothing else.
    let nobody = scene.server.client().with("sec-fetch-site", "same-origin");
    let answer = scene.ask(&nobody, operation).await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (401, "unauthenticated"),
        "nobody: {}",
        operation.id
    );
    assert_eq!(scene.things.leak(&answer.text()), None, "nobody learns it from {}", operation.id);
}

/// (b)
async fn another_tenant_finds_nothing(scene: &Scene, operation: &Operation) {
    // Without the header of the console they would be a visitor of the site that the host shows.
    let in_the_console = scene.intruding_member.with("x-plinth-console", "1");
    for (kind, who) in [("secret_key", &scene.intruder), ("session", &in_the_console)] {
        // What ends or moves the intruder's own session says nothing about the victim, unless it moves it there.
        if !operation.callers.contains_key(kind) || operation.id == "end_session" {
            continue;
        }
        let answer = scene.ask(who, operation).await;
        let told =
            format!("{} as another tenant's {kind}: {} {}", operation.id, answer.status, answer.text());
        let silent = matches!(operation.id.as_str(), "delete_assistant_chat");
        if silent {
            assert!(operation.good.contains(&answer.status), "{told}");
        } else if operation.has_parameters() || operation.id == "switch_tenant" {
            assert_eq!((answer.status, answer.problem().as_str()), (404, "not_found"), "{told}");
        } else {
            assert!(
                operation.good.contains(&answer.status) || (kind == "session" && answer.status == 403),
                "{told}"
            );
        }
        // A refusal may name what was asked for, an answer may not name what is the victim's.
        if answer.status < 300 {
            assert_eq!(scene.things.leak(&answer.text()), None, "{told}");
        }
    }
    // A key is not a person: what is for members is not for keys.
    if !operation.callers.contains_key("secret_key") && operation.callers.contains_key("session") {
        let answer = scene.ask(&scene.intruder, operation).await;
        assert_eq!((answer.status, answer.problem().as_str()), (403, "forbidden"), "{}", operation.id);
    }
}

/// (c)
async fn the_scope_is_needed(scene: &Scene, narrow: &BTreeMap<String, Client>, operation: &Operation) {
    let Some(Some(scope)) = operation.callers.get("secret_key") else { return };
    let answer = scene.ask(&narrow[scope], operation).await;
    let told = format!("{} without {scope}: {}", operation.id, answer.text());
    assert_eq!((answer.status, answer.problem().as_str()), (403, "scope_missing"), "{told}");
    assert!(answer.json()["detail"].as_str().unwrap().contains(scope.as_str()), "{told}");
}

/// (d)
async fn strangers_are_kept_out(scene: &Scene, operation: &Operation) {
    for (kind, who) in [("publishable_key", &scene.publishable), ("user_token", &scene.end_user)] {
        if !operation.callers.contains_key(kind) && !operation.anonymous {
            let answer = scene.ask(who, operation).await;
            let told = format!("{} with a {kind}: {} {}", operation.id, answer.status, answer.text());
            assert_eq!((answer.status, answer.problem().as_str()), (403, "forbidden"), "{told}");
        }
    }
}

/// What anybody may do, they may; but it leads them to nothing that is somebody else's.
async fn strangers_may_do_what_is_for_strangers(scene: &Scene, operation: &Operation) {
    let visitor = scene.server.client().with("sec-fetch-site", "same-origin");
    // Somebody who works for another tenant visits this one's site like anybody.
    let visiting_member = scene.intruding_member.with("sec-fetch-site", "same-origin");
    for (kind, who) in [
        ("visitor", &visitor),
        ("visitor", &visiting_member),
        ("publishable_key", &scene.publishable),
        ("user_token", &scene.end_user),
    ] {
        let open = operation.anonymous && kind == "visitor";
        if operation.callers.contains_key(kind) || open {
            let answer = scene.ask(who, operation).await;
            let told = format!("{} as a {kind}: {} {}", operation.id, answer.status, answer.text());
            assert_eq!(answer.status, operation.for_strangers(), "{told}");
        }
    }
}

async fn a_cursor_is_for_its_tenant_alone(scene: &Scene) {
    let page = scene.owner.get("/v1/submissions?limit=1").await.expect(200);
    let cursor = page["next_cursor"].as_str().unwrap();
    let answer = scene.intruder.get(&format!("/v1/submissions?limit=1&cursor={cursor}")).await;
    assert_eq!((answer.status, answer.problem().as_str()), (400, "invalid_cursor"));
}

async fn sign_in(nobody: &Client) -> Client {
    let credentials = json!({"email": "owner@example.org", "password": "correct horse battery"});
    let opened = nobody.with("sec-fetch-site", "same-origin").post("/v1/session", &credentials).await;
    opened.expect(201);
    nobody.cookie(&cookie_of(&opened))
}

/// (e)
async fn the_owner_may(scene: &Scene, operation: &Operation) {
    let who = match operation.id.as_str() {
        // By then the first session has moved to another tenant, under another token.
        "end_session" => &sign_in(&scene.server.client()).await,
        _ if operation.callers.contains_key("secret_key") => &scene.owner,
        _ => &scene.session,
    };
    let answer = scene.ask(who, operation).await;
    let told = format!("{} as the owner: {} {}", operation.id, answer.status, answer.text());
    assert!(operation.good.contains(&answer.status), "{told}");
}
