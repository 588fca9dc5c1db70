//! Outbound calls against real local servers, and a resolver that lies.

use plinth_gateway::outbound::{
    Guard, Outbound, OutboundError, OutboundPolicy, OutboundRequest, Resolver, SystemResolver,
};
use plinth_identity::model::net::Cidr;
use plinth_kernel::ports::BoxFuture;
use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// A server that answers every request with the same bytes and keeps what it was asked.
async fn server(
    answer: impl Fn(&str) -> String + Send + Sync + 'static,
) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, seen) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
    let kept = seen.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4_096];
            let read = stream.read(&mut head).await.unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..read]).into_owned();
            let reply = answer(head.split(' ').nth(1).unwrap_or("/"));
            kept.lock().unwrap().push(head);
            let _ = stream.write_all(reply.as_bytes()).await;
        }
    });
    (address, seen)
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn to(location: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

/// Allows this machine, which the default policy never would.
fn local(ports: &[u16]) -> OutboundPolicy {
    OutboundPolicy {
        ports: ports.to_vec(),
        allowed: vec![Cidr::parse("127.0.0.1").unwrap()],
        ..OutboundPolicy::default()
    }
}

fn outbound(policy: OutboundPolicy, resolver: impl Resolver + 'static) -> Outbound {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Outbound::new(Guard::new(policy, Arc::new(resolver)))
}

#[tokio::test]
async fn a_local_server_is_reached_only_when_operators_allow_it() {
    let (address, seen) = server(|_| ok("hello")).await;
    let url = format!("http://{address}/");
    let closed = OutboundPolicy { ports: vec![address.port()], ..OutboundPolicy::default() };
    assert!(matches!(
        outbound(closed, SystemResolver).send(OutboundRequest::get(&url)).await,
        Err(OutboundError::NotPublic)
    ));
    assert!(seen.lock().unwrap().is_empty(), "not a byte was sent");
    let fetched =
        outbound(local(&[address.port()]), SystemResolver).send(OutboundRequest::get(&url)).await.unwrap();
    assert_eq!((fetched.status.as_u16(), &fetched.body[..]), (200, &b"hello"[..]));
}

#[tokio::test]
async fn a_redirect_is_checked_like_the_first_address() {
    let (address, _) = server(|path| match path {
        "/metadata" => to("http://169.254.169.254/latest/meta-data/"),
        "/file" => to("file:///etc/passwd"),
        "/port" => to("http://127.0.0.1:22/"),
        "/circle" => to("/circle"),
        "/once" => to("/end"),
        _ => ok("end"),
    })
    .await;
    let outbound = outbound(local(&[address.port(), 80]), SystemResolver);
    let get = async |path: &str| outbound.send(OutboundRequest::get(format!("http://{address}{path}"))).await;
    assert!(matches!(get("/metadata").await, Err(OutboundError::NotPublic)));
    assert!(matches!(get("/file").await, Err(OutboundError::Scheme)));
    assert!(matches!(get("/port").await, Err(OutboundError::Port(22))));
    assert!(matches!(get("/circle").await, Err(OutboundError::Redirects)));
    assert_eq!(&get("/once").await.unwrap().body[..], b"end");
}

#[tokio::test]
async fn credentials_do_not_follow_to_another_host() {
    let (second, seen) = server(|_| ok("end")).await;
    let target = format!("http://{second}/");
    let (first, _) = server(move |_| to(&target)).await;
    let outbound = outbound(local(&[first.port(), second.port()]), SystemResolver);
    let mut request = OutboundRequest::get(format!("http://{first}/"));
    request.headers.insert("authorization", "Bearer canary".parse().unwrap());
    outbound.send(request).await.unwrap();
    assert!(!seen.lock().unwrap()[0].contains("canary"));
}

/// Answers with a public address first and with this machine's afterwards.
struct Rebinding(AtomicU32);

impl Resolver for Rebinding {
    fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, std::io::Result<Vec<IpAddr>>> {
        let first = self.0.fetch_add(1, Ordering::SeqCst) == 0;
        let address: IpAddr = if first { [127, 0, 0, 1] } else { [10, 0, 0, 1] }.into();
        Box::pin(async move { Ok(vec![address]) })
    }
}

#[tokio::test]
async fn the_connection_goes_to_the_address_that_was_checked() {
    let (address, _) = server(|_| ok("checked")).await;
    // The name exists nowhere: only the checked address can have been used.
    let outbound = outbound(local(&[address.port()]), Rebinding(AtomicU32::new(0)));
    let url = format!("http://rebinding.test:{}/", address.port());
    assert_eq!(&outbound.send(OutboundRequest::get(&url)).await.unwrap().body[..], b"checked");
    assert!(matches!(outbound.send(OutboundRequest::get(&url)).await, Err(OutboundError::NotPublic)));
}

#[tokio::test]
async fn an_endless_or_slow_answer_is_cut_off() {
    let (large, _) = server(|_| ok(&"x".repeat(100_000))).await;
    let (silent, _) = server(|_| "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n".to_owned()).await;
    let outbound = outbound(local(&[large.port(), silent.port()]), SystemResolver);
    let mut request = OutboundRequest::get(format!("http://{large}/"));
    request.bytes_max = 10_000;
    assert!(matches!(outbound.send(request).await, Err(OutboundError::TooLarge(10_000))));
    let mut request = OutboundRequest::get(format!("http://{silent}/"));
    request.deadline_ms = 100;
    assert!(matches!(outbound.send(request).await, Err(OutboundError::Deadline | OutboundError::Failed(_))));
}
