//! The accept loop: sockets in, requests to the [`Gateway`], and an orderly end.
//!
//! It is our own because the ready-made ones have no limit on connections and none on the time a head may take: a
//! client that dribbles one byte a second would be served forever.

use crate::{Gateway, gateway::Peer, limits, wire::Wire};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use parking_lot::Mutex;
use plinth_identity::model::net::throttle_block;
use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How connections are served.
#[derive(Clone)]
pub struct ServeConfig {
    /// Connections altogether.
    pub connections_max: usize,
    /// Connections of one address (IPv6: of one /64).
    pub connections_per_ip_max: usize,
    /// A head takes no longer, and a connection without a request lives no longer.
    pub header_read_ms: u64,
    /// How long connections may finish once the server drains.
    pub drain_ms: u64,
    /// TLS, or plain text.
    pub tls: Option<Arc<rustls::ServerConfig>>,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            connections_max: limits::CONNECTIONS_MAX,
            connections_per_ip_max: limits::CONNECTIONS_PER_IP_MAX,
            header_read_ms: limits::HEADER_READ_MS,
            drain_ms: limits::DRAIN_MS,
            tls: None,
        }
    }
}

/// Serves until `stop` is cancelled and every connection has ended, or the drain's time is up.
pub async fn serve(
    listener: TcpListener,
    gateway: Gateway,
    config: ServeConfig,
    stop: CancellationToken,
) -> io::Result<()> {
    let server = Arc::new(Server {
        slots: Arc::new(Semaphore::new(config.connections_max)),
        per_ip: Mutex::new(HashMap::new()),
        builder: builder(&config),
        tls: config.tls.clone().map(TlsAcceptor::from),
        stop: stop.clone(),
        gateway,
        config,
    });
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => server.admit(stream, peer, &connections),
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                // Out of descriptors, most likely: accepting again at once would spin.
                tracing::warn!(%error, "accepting a connection failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    connections.close();
    let drained =
        tokio::time::timeout(Duration::from_millis(server.config.drain_ms), connections.wait()).await;
    if drained.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "connections were still busy when the drain's time was up"
        );
    }
    Ok(())
}

/// Errors that concern one connection only and say nothing about the listener.
fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

fn builder(config: &ServeConfig) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(config.header_read_ms))
        .max_buf_size(limits::HEAD_BUFFER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits::H2_STREAMS_MAX)
        .max_pending_accept_reset_streams(limits::H2_RESETS_MAX)
        .max_header_list_size(limits::HEAD_BUFFER_BYTES as u32)
        .max_send_buf_size(limits::H2_SEND_BUFFER_BYTES)
        .keep_alive_interval(Duration::from_millis(limits::H2_PING_MS))
        .keep_alive_timeout(Duration::from_millis(limits::H2_PING_MS));
    builder
}

struct Server {
    gateway: Gateway,
    config: ServeConfig,
    builder: auto::Builder<TokioExecutor>,
    tls: Option<TlsAcceptor>,
    slots: Arc<Semaphore>,
    per_ip: Mutex<HashMap<IpAddr, usize>>,
    stop: CancellationToken,
}

/// A connection's place under both caps.
struct Slot {
    server: Arc<Server>,
    block: IpAddr,
    _global: OwnedSemaphorePermit,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut per_ip = self.server.per_ip.lock();
        if let Some(count) = per_ip.get_mut(&self.block) {
            *count -= 1;
            if *count == 0 {
                per_ip.remove(&self.block);
            }
        }
        self.server.gateway.metrics().connection_closed();
    }
}

impl Server {
    /// Takes a connection in, or closes it at once when there are too many.
    fn admit(self: &Arc<Self>, stream: TcpStream, peer: SocketAddr, connections: &TaskTracker) {
        let Some(slot) = self.slot(peer.ip()) else {
            self.gateway.metrics().connection_refused();
            return;
        };
        let server = self.clone();
        connections.spawn(async move {
            server.connection(stream, peer).await;
            drop(slot);
        });
    }

    fn slot(self: &Arc<Self>, ip: IpAddr) -> Option<Slot> {
        let global = self.slots.clone().try_acquire_owned().ok()?;
        // Behind a proxy on this machine every client has its address: the proxy counts them, not we.
        let block = throttle_block(ip);
        let mut per_ip = self.per_ip.lock();
        let count = per_ip.entry(block).or_default();
        if *count >= self.config.connections_per_ip_max && !self.gateway.trusts(ip) {
            return None;
        }
        *count += 1;
        self.gateway.metrics().connection_opened();
        Some(Slot { server: self.clone(), block, _global: global })
    }

    async fn connection(&self, stream: TcpStream, peer: SocketAddr) {
        // Answers are written whole; waiting for more to send only adds latency.
        let _ = stream.set_nodelay(true);
        match &self.tls {
            None => self.http(stream, Peer { address: peer, secure: false }).await,
            Some(acceptor) => {
                let handshake = tokio::time::timeout(
                    Duration::from_millis(limits::TLS_HANDSHAKE_MS),
                    acceptor.accept(stream),
                );
                match handshake.await {
                    Ok(Ok(stream)) => self.http(stream, Peer { address: peer, secure: true }).await,
                    Ok(Err(error)) => tracing::debug!(%peer, %error, "TLS handshake failed"),
                    Err(_) => tracing::debug!(%peer, "TLS handshake took too long"),
                }
            }
        }
    }

    async fn http<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(&self, stream: S, peer: Peer) {
        let seen = Arc::new(AtomicBool::new(false));
        let wire = Wire::new(stream, seen.clone(), self.gateway.head_fault());
        let gateway = self.gateway.clone();
        let service = {
            let seen = seen.clone();
            hyper::service::service_fn(move |request| {
                seen.store(true, Ordering::Release);
                let gateway = gateway.clone();
                async move { Ok::<_, std::convert::Infallible>(gateway.handle(request, peer).await) }
            })
        };
        let mut connection = pin!(self.builder.serve_connection_with_upgrades(TokioIo::new(wire), service));
        tokio::select! {
            _ = connection.as_mut() => return,
            () = no_request(&seen, self.config.header_read_ms) => return,
            () = self.stop.cancelled() => {}
        }
        // GOAWAY, or `Connection: close` on the answer under way.
        connection.as_mut().graceful_shutdown();
        let _ = tokio::time::timeout(Duration::from_millis(self.config.drain_ms), connection).await;
    }
}

/// Ends when a connection had the time of one head and brought no request. hyper's own timer starts only once it
/// knows which version of HTTP is spoken, and a client may take forever to tell.
async fn no_request(seen: &AtomicBool, ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
    if seen.load(Ordering::Acquire) {
        std::future::pending().await
    }
}
