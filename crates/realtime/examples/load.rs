//! What a connection costs: opens sockets against a hub in a process of its own, each connected and subscribed to
//! one channel, and reads that process's resident memory before and after; then has the hub publish to all of
//! them, and prints what that cost the publisher and how long the last delivery took.
//!
//! `cargo run --release -p plinth-realtime --example load -- 2000`

#[path = "../tests/it/test_server.rs"]
mod test_server;
#[path = "../tests/it/token_auth.rs"]
mod token_auth;

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use plinth_realtime::Hub;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CHANNEL: &str = "feed:all";
const HANDSHAKE: &str = "GET /connection/websocket HTTP/1.1\r\nhost: t\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
                         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let argument = std::env::args().nth(1);
    if argument.as_deref() == Some("serve") {
        return serve().await;
    }
    let sockets: u64 = argument.map_or(Ok(2_000), |count| count.parse())?;
    let mut server = Command::new(std::env::current_exe()?)
        .arg("serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let address = address_of(&mut server)?;
    // The first connections pay for what all share: threads, buffers of threads, tables.
    let mut held = open(address, 0..50).await?;
    let before = resident_kib(server.id())?;
    let began = Instant::now();
    held.extend(open(address, 50..50 + sockets).await?);
    let took = began.elapsed();
    // What the handshakes needed is given back within moments.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let after = resident_kib(server.id())?;
    let each = (after.saturating_sub(before)) as f64 / sockets as f64;
    println!("{sockets} connections in {took:?}: {before} KiB before, {after} KiB after, {each:.2} KiB each");
    for mut socket in held {
        tokio::spawn(async move { tokio::io::copy(&mut socket, &mut tokio::io::sink()).await });
    }
    // The server publishes when its standard input ends, and then ends too.
    drop(server.stdin.take());
    server.wait()?;
    Ok(())
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let config = plinth_realtime::HubConfig {
        connections_per_user: usize::MAX,
        accept_burst: u32::MAX,
        ..test_server::config()
    };
    let (hub, address) = test_server::start(config).await?;
    // To the parent, through a pipe; figures go to the terminal.
    println!("{address}");
    let mut nothing = Vec::new();
    tokio::io::stdin().read_to_end(&mut nothing).await?;
    fan_out(&hub).await;
    Ok(())
}

/// Publishes to everyone, at a rate and then all at once.
async fn fan_out(hub: &Hub) {
    for (publications, pause) in [(50, Duration::from_millis(100)), (200, Duration::ZERO)] {
        let before = hub.stats();
        let began = Instant::now();
        let mut publishing = Duration::ZERO;
        for number in 0..publications {
            let call = Instant::now();
            hub.publish(&token_auth::tenant(0), CHANNEL, &json!({"number": number, "text": "x".repeat(80)}));
            publishing += call.elapsed();
            tokio::time::sleep(pause).await;
        }
        while hub.stats().frames < before.frames + hub.stats().deliveries - before.deliveries {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let took = began.elapsed();
        let after = hub.stats();
        let deliveries = after.deliveries - before.deliveries;
        eprintln!(
            "{deliveries} deliveries in {took:?} and {} writes; the publisher spent {:.2} us on each",
            after.writes - before.writes,
            publishing.as_secs_f64() * 1e6 / deliveries as f64,
        );
    }
}

fn address_of(server: &mut Child) -> Result<SocketAddr, Box<dyn Error>> {
    let output = server.stdout.take().ok_or("the server has no output")?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    Ok(line.trim().parse()?)
}

/// Opens a socket for each number, connects as a user of that number and subscribes.
async fn open(address: SocketAddr, numbers: std::ops::Range<u64>) -> Result<Vec<TcpStream>, Box<dyn Error>> {
    let mut opened = Vec::new();
    for number in numbers {
        let mut socket = TcpStream::connect(address).await?;
        socket.write_all(HANDSHAKE.as_bytes()).await?;
        read_until(&mut socket, b"\r\n\r\n").await?;
        let token = format!("{{\\\"user\\\":\\\"{number}\\\"}}");
        let commands = format!(
            "{{\"id\":1,\"connect\":{{\"token\":\"{token}\"}}}}\n{{\"id\":2,\"subscribe\":{{\"channel\":\"{CHANNEL}\"}}}}"
        );
        socket.write_all(&frame(commands.as_bytes())).await?;
        read_until(&mut socket, b"\"subscribe\"").await?;
        opened.push(socket);
    }
    Ok(opened)
}

/// A masked text frame; a mask of zeros leaves the payload as it is.
fn frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81, 0x80 | 126];
    frame.extend((payload.len() as u16).to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

async fn read_until(socket: &mut TcpStream, end: &[u8]) -> Result<(), Box<dyn Error>> {
    let mut read = Vec::new();
    let mut chunk = [0; 2048];
    while !read.windows(end.len()).any(|window| window == end) {
        let count = socket.read(&mut chunk).await?;
        if count == 0 {
            return Err("the server hung up".into());
        }
        read.extend_from_slice(&chunk[..count]);
    }
    Ok(())
}

fn resident_kib(process: u32) -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.split_whitespace().nth(1).ok_or("no figure")?.parse()?)
}
