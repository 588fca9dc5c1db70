//! A server on a free port, and a client that shows every frame.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use plinth_realtime::{Hub, HubConfig};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::test_server;
pub use crate::test_server::config;
use crate::token_auth::tenant;

/// Nothing in these tests takes this long.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// A running hub.
pub struct Server {
    pub hub: Hub,
    pub address: SocketAddr,
}

impl Server {
    pub async fn start() -> Self {
        Self::with(config()).await
    }

    pub async fn with(config: HubConfig) -> Self {
        let (hub, address) = test_server::start(config).await.unwrap();
        Self { hub, address }
    }

    /// Publishes for the tenant of most tests.
    pub fn publish(&self, channel: &str, data: Value) {
        self.hub.publish(&tenant(0), channel, &data);
    }

    /// A connected client of this user.
    pub async fn user(&self, user: &str) -> Client {
        Client::connected(self, json!({"user": user})).await
    }

    /// Sends a raw HTTP request and returns the connection, for the answer to be read from.
    pub async fn http(&self, request: &str) -> Http {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        Http { stream, read: String::new() }
    }

    /// Posts JSON and returns the head and the body of the answer.
    pub async fn post(&self, path: &str, body: &str, more: &str) -> Http {
        let length = body.len();
        self.http(&format!(
            "POST {path} HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{more}\r\n{body}"
        ))
        .await
    }
}

/// An HTTP answer, read as far as a test needs it.
pub struct Http {
    stream: TcpStream,
    read: String,
}

impl Http {
    /// Reads until `text` has arrived and returns everything up to and with it; the rest is kept.
    pub async fn until(&mut self, text: &str) -> String {
        loop {
            if let Some(at) = self.read.find(text) {
                let rest = self.read.split_off(at + text.len());
                return std::mem::replace(&mut self.read, rest);
            }
            let mut chunk = [0; 4096];
            let count = timeout(DEADLINE, self.stream.read(&mut chunk)).await.expect("in time").unwrap();
            assert!(count > 0, "the answer ended before {text:?}: {}", self.read);
            self.read.push_str(std::str::from_utf8(&chunk[..count]).unwrap());
        }
    }

    /// The status line and the headers, in lower case.
    pub async fn head(&mut self) -> String {
        self.until("\r\n\r\n").await.to_lowercase()
    }
}

/// A WebSocket client without manners of its own: it sends what it is told and shows what it gets.
pub struct Client {
    stream: TcpStream,
    read: Vec<u8>,
    messages: VecDeque<Value>,
    closed: Option<(u16, String)>,
    next_id: u32,
    /// Opcodes of control frames seen.
    pub controls: Vec<u8>,
    /// Replies in each text message seen.
    pub batches: Vec<usize>,
}

impl Client {
    /// Opens a socket without a command.
    pub async fn open(server: &Server) -> Self {
        Self::open_at(server, "/connection/websocket").await
    }

    pub async fn open_at(server: &Server, path: &str) -> Self {
        let mut http = server
            .http(&format!(
                "GET {path} HTTP/1.1\r\nhost: t\r\nconnection: keep-alive, Upgrade\r\nupgrade: websocket\r\n\
                 sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            ))
            .await;
        let head = http.head().await;
        assert!(head.starts_with("http/1.1 101"), "{head}");
        assert!(http.read.is_empty());
        Self {
            stream: http.stream,
            read: Vec::new(),
            messages: VecDeque::new(),
            closed: None,
            next_id: 1,
            controls: Vec::new(),
            batches: Vec::new(),
        }
    }

    /// Opens a socket and connects with this token.
    pub async fn connected(server: &Server, token: Value) -> Self {
        let mut client = Self::open(server).await;
        let reply = client.connect(token).await;
        assert!(reply["connect"]["client"].is_string(), "{reply}");
        client
    }

    pub async fn connect(&mut self, token: Value) -> Value {
        self.ask(json!({"connect": {"token": token.to_string()}})).await
    }

    pub async fn subscribe(&mut self, channel: &str) -> Value {
        self.ask(json!({"subscribe": {"channel": channel}})).await
    }

    /// Sends a command under a fresh id and returns its reply; pushes that come first are kept.
    pub async fn ask(&mut self, mut command: Value) -> Value {
        let id = self.next_id;
        self.next_id += 1;
        command["id"] = json!(id);
        self.send(&command.to_string()).await;
        let mut before = VecDeque::new();
        loop {
            let message = self.next().await;
            if message["id"] == id {
                self.messages.extend(before);
                return message;
            }
            before.push_back(message);
        }
    }

    /// Sends a text message.
    pub async fn send(&mut self, text: &str) {
        self.send_frame(0x81, text.as_bytes()).await;
    }

    pub async fn send_frame(&mut self, first: u8, payload: &[u8]) {
        let mask = [7, 1, 9, 3];
        let mut frame = vec![first];
        match payload.len() {
            short @ 0..=125 => frame.push(0x80 | short as u8),
            medium @ 126..=0xffff => {
                frame.push(0x80 | 126);
                frame.extend((medium as u16).to_be_bytes());
            }
            long => {
                frame.push(0x80 | 127);
                frame.extend((long as u64).to_be_bytes());
            }
        }
        frame.extend(mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        self.stream.write_all(&frame).await.unwrap();
    }

    /// The next message.
    pub async fn next(&mut self) -> Value {
        loop {
            if let Some(message) = self.messages.pop_front() {
                return message;
            }
            assert!(self.closed.is_none(), "closed with {:?}", self.closed);
            self.read_frame().await;
        }
    }

    /// The next publication.
    pub async fn publication(&mut self) -> Value {
        let message = self.next().await;
        assert!(message["push"]["pub"].is_object(), "{message}");
        message["push"]["pub"].clone()
    }

    /// Code and reason with which the server ended the connection.
    pub async fn closed(&mut self) -> (u16, String) {
        while self.closed.is_none() {
            self.read_frame().await;
        }
        self.closed.clone().unwrap()
    }

    /// Whether nothing but the reply to a ping is on its way.
    pub async fn assert_silent(&mut self) {
        let reply = self.ask(json!({"ping": {}})).await;
        assert_eq!(reply["ping"], json!({}));
        assert!(self.messages.is_empty(), "{:?}", self.messages);
    }

    async fn read_frame(&mut self) {
        let header = self.bytes(2).await;
        assert_eq!(header[1] & 0x80, 0, "servers do not mask");
        let length = match header[1] {
            126 => usize::from(u16::from_be_bytes(self.bytes(2).await.try_into().unwrap())),
            127 => u64::from_be_bytes(self.bytes(8).await.try_into().unwrap()) as usize,
            short => usize::from(short),
        };
        let payload = self.bytes(length).await;
        match header[0] {
            0x81 => {
                let text = std::str::from_utf8(&payload).unwrap();
                let messages: Vec<Value> =
                    text.split('\n').map(|line| serde_json::from_str(line).unwrap()).collect();
                self.batches.push(messages.len());
                self.messages.extend(messages);
            }
            0x88 => {
                let code = u16::from_be_bytes(payload[..2].try_into().unwrap());
                self.closed = Some((code, String::from_utf8(payload[2..].to_vec()).unwrap()));
            }
            control => self.controls.push(control & 0x0f),
        }
    }

    /// Reads until a control frame has been seen.
    pub async fn control(&mut self) -> u8 {
        while self.controls.is_empty() {
            self.read_frame().await;
        }
        self.controls.remove(0)
    }

    async fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.read.len() < count {
            let mut chunk = [0; 16 * 1024];
            let read = timeout(DEADLINE, self.stream.read(&mut chunk)).await.expect("in time").unwrap();
            assert!(read > 0, "the socket ended");
            self.read.extend_from_slice(&chunk[..read]);
        }
        self.read.drain(..count).collect()
    }
}

/// Waits until something is so.
pub async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let waited = timeout(DEADLINE, async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what}: not in time");
}
