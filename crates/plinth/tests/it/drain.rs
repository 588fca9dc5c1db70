//! SIGTERM: what is under way finishes, what is open is told to end, and nobody is let in any more.

use crate::support::{Home, Server, contact_values, on_both_engines, set_up};
use plinth_testkit::eventually;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The close code that makes a realtime client come back elsewhere.
const SHUTDOWN: u16 = 3001;

fn host(server: &Server) -> &str {
    server.base.strip_prefix("http://").unwrap()
}

async fn refuses_connections(server: &Server) {
    let host = host(server).to_owned();
    eventually("the port is closed", || async { TcpStream::connect(&host).await.is_err().then_some(()) })
        .await;
}

async fn read_to_end(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    tokio::time::timeout(crate::support::PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A token for the console's live connection.
async fn realtime_token(server: &Server, cookie: &str) -> String {
    let answer = server.client().cookie(cookie).call("POST", "/v1/realtime/token", None).await.expect(201);
    answer["token"].as_str().unwrap().to_owned()
}

on_both_engines! {
    /// The request's body is still arriving when the signal comes: it is answered, and what it did is kept.
    async fn a_request_in_flight_is_answered(home: Home) {
        let (live, _) = home.organisation("Engines");
        let key = home.key(&live);
        let mut server = home.start();
        let body = contact_values("In flight").to_string();
        let (first, rest) = body.split_at(body.len() / 2);
        let mut stream = TcpStream::connect(host(&server)).await.unwrap();
        let head = format!(
            "POST /v1/forms/ext:contact/submissions HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
            host(&server), body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // The server asks for the body: from here on the request is in a handler's hands.
        let mut going_on = [0; 25];
        stream.read_exact(&mut going_on).await.unwrap();
        assert_eq!(&going_on, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream.write_all(first.as_bytes()).await.unwrap();
        server.terminate();
        refuses_connections(&server).await;
        stream.write_all(rest.as_bytes()).await.unwrap();
        let answer = read_to_end(stream).await;
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
        let status = server.wait();
        assert!(status.success(), "{status}; {}", server.log());
        drop(server);

        let server = home.start();
        let kept = server.client().bearer(&key).list("/v1/submissions").await;
        assert_eq!(kept.len(), 1);
        server.stop();
    }
}

#[test]
fn an_open_answer_of_the_assistant_is_ended_in_words() {
    plinth_testkit::run(async {
        let home = Home::new(plinth_testkit::Engine::Sqlite);
        let mut server = home.start();
        let question = json!({"id": "drain", "message": "Which databases does Rajkumar know?"}).to_string();
        let mut stream = TcpStream::connect(host(&server)).await.unwrap();
        let head = format!(
            "POST /v1/assistant/chat HTTP/1.1\r\nhost: {0}\r\norigin: http://{0}\r\naccept: text/event-stream\r\n\
             content-type: application/json\r\ncontent-length: {1}\r\n\r\n{question}",
            host(&server),
            question.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut beginning = [0; 15];
        stream.read_exact(&mut beginning).await.unwrap();
        assert_eq!(&beginning, b"HTTP/1.1 200 OK");
        server.terminate();
        let answer = read_to_end(stream).await;
        let end = answer.trim_end_matches(['\r', '\n', '0']);
        assert!(end.ends_with("data: [DONE]"), "the stream has no end: {answer}");
        assert!(server.wait().success());
    });
}

#[test]
fn realtime_clients_are_told_to_come_back_elsewhere() {
    plinth_testkit::run(async {
        let home = Home::new(plinth_testkit::Engine::Sqlite);
        let mut server = home.start();
        let cookie = set_up(&server).await;
        let mut socket = Socket::open(&server).await;
        let token = realtime_token(&server, &cookie).await;
        socket.send(&json!({"id": 1, "connect": {"token": token}})).await;
        let (_, reply) = socket.frame().await;
        assert!(
            String::from_utf8_lossy(&reply).contains("\"connect\""),
            "{}",
            String::from_utf8_lossy(&reply)
        );

        let token = realtime_token(&server, &cookie).await;
        let connect = json!({"id": 1, "connect": {"token": token}}).to_string();
        let mut events = TcpStream::connect(host(&server)).await.unwrap();
        let head = format!(
            "POST /connection/http_stream HTTP/1.1\r\nhost: {0}\r\norigin: http://{0}\r\ncontent-type: application/json\r\n\
             content-length: {1}\r\n\r\n{connect}",
            host(&server),
            connect.len()
        );
        events.write_all(head.as_bytes()).await.unwrap();
        let mut beginning = [0; 15];
        events.read_exact(&mut beginning).await.unwrap();
        assert_eq!(&beginning, b"HTTP/1.1 200 OK");

        server.terminate();
        let code = loop {
            let (kind, payload) = socket.frame().await;
            if kind == Socket::CLOSE {
                break u16::from_be_bytes([payload[0], payload[1]]);
            }
        };
        assert_eq!(code, SHUTDOWN);
        let rest = read_to_end(events).await;
        assert!(rest.contains("\"disconnect\"") && rest.contains("3001"), "{rest}");
        assert!(server.wait().success(), "{}", server.log());
    });
}

#[test]
fn an_idle_server_ends_at_once() {
    plinth_testkit::run(async {
        let home = Home::new(plinth_testkit::Engine::Sqlite);
        let server = home.start();
        // A kept-alive connection is no reason to wait.
        let client = server.client();
        client.get("/healthz").await;
        let began = std::time::Instant::now();
        server.stop();
        assert!(began.elapsed() < Duration::from_secs(8), "it took {:?}", began.elapsed());
    });
}

/// As much of RFC 6455 as it takes to hear how a connection ends.
struct Socket(TcpStream);

impl Socket {
    const TEXT: u8 = 1;
    const CLOSE: u8 = 8;

    async fn open(server: &Server) -> Self {
        let mut stream = TcpStream::connect(host(server)).await.unwrap();
        let head = format!(
            "GET /connection/websocket HTTP/1.1\r\nhost: {0}\r\norigin: http://{0}\r\nupgrade: websocket\r\n\
             connection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            host(server)
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.unwrap());
        }
        assert!(answer.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&answer));
        Self(stream)
    }

    async fn send(&mut self, message: &Value) {
        let text = message.to_string();
        // A client masks; a mask of zeros leaves the text as it is.
        let mut frame = vec![0x80 | Self::TEXT, 0x80 | 126];
        frame.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        self.0.write_all(&frame).await.unwrap();
    }

    async fn frame(&mut self) -> (u8, Vec<u8>) {
        let kind = self.0.read_u8().await.unwrap() & 0x0f;
        let length = match self.0.read_u8().await.unwrap() {
            126 => usize::from(self.0.read_u16().await.unwrap()),
            127 => usize::try_from(self.0.read_u64().await.unwrap()).unwrap(),
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload).await.unwrap();
        (kind, payload)
    }
}
