//! Calls to destinations that a tenant named (webhooks, key sets, imports), and the guard against server-side request
//! forgery in front of them.
//!
//! What is checked: the scheme, the port, that the address carries no credentials, and **every** address that the
//! name resolves to, where "address" includes the IPv4 address inside mapped, translated and tunnelled IPv6 forms. The
//! connection then goes to one of the checked addresses (a second resolution could answer otherwise: DNS rebinding).
//! Redirects are followed here, at most [`limits::OUTBOUND_REDIRECTS_MAX`], each checked like the first address and
//! without the caller's headers once the host changes. Operators may allow ranges; tenants cannot.

use crate::limits;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, StatusCode, header};
use plinth_identity::{JwksFetcher, model::net::Cidr};
use plinth_kernel::{Code, Problem, ports::BoxFuture};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use url::{Host, Url};

/// What operators decide about outbound calls.
#[derive(Debug, Clone)]
pub struct OutboundPolicy {
    /// Ports that may be called.
    pub ports: Vec<u16>,
    /// Whether plain `http` may be called.
    pub plain_http: bool,
    /// Ranges that may be called although they are not public.
    pub allowed: Vec<Cidr>,
    /// Ranges that may not be called although they are.
    pub denied: Vec<Cidr>,
}

impl Default for OutboundPolicy {
    fn default() -> Self {
        Self { ports: vec![443, 80, 8443, 8080], plain_http: true, allowed: Vec::new(), denied: Vec::new() }
    }
}

/// Why a destination is not called, or what went wrong on the way.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// Not an absolute URL, or too long.
    #[error("this is not an absolute http or https address")]
    BadUrl,
    /// Another scheme.
    #[error("only http and https addresses can be called")]
    Scheme,
    /// Another port.
    #[error("port {0} cannot be called")]
    Port(u16),
    /// `user:password@` in the address.
    #[error("the address carries credentials")]
    Credentials,
    /// It leads to where tenants have no business.
    #[error("the address does not lead to a public host")]
    NotPublic,
    /// The name does not resolve.
    #[error("the host name cannot be resolved")]
    Unresolvable,
    /// Too many redirects, or one without a target.
    #[error("the redirects do not end")]
    Redirects,
    /// The answer is too long.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// It took too long.
    #[error("the call took too long")]
    Deadline,
    /// The connection or the protocol failed.
    #[error("the call failed: {0}")]
    Failed(String),
}

impl OutboundError {
    /// Whether the destination itself is at fault, so that it should not have been accepted.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::BadUrl | Self::Scheme | Self::Port(_) | Self::Credentials | Self::NotPublic)
    }
}

impl From<OutboundError> for Problem {
    fn from(error: OutboundError) -> Self {
        let code = if error.is_refusal() { Code::ValidationFailed } else { Code::UpstreamError };
        let text = error.to_string();
        let mut letters = text.chars();
        let sentence = letters
            .next()
            .map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()));
        Problem::new(code, sentence)
    }
}

/// Turns a name into addresses.
pub trait Resolver: Send + Sync {
    /// Every address of `host`.
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, std::io::Result<Vec<IpAddr>>>;
}

/// The operating system's resolver.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, std::io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
        })
    }
}

/// Decides which destinations may be called.
#[derive(Clone)]
pub struct Guard {
    policy: Arc<OutboundPolicy>,
    resolver: Arc<dyn Resolver>,
}

impl Guard {
    /// A guard of this policy.
    #[must_use]
    pub fn new(policy: OutboundPolicy, resolver: Arc<dyn Resolver>) -> Self {
        Self { policy: Arc::new(policy), resolver }
    }

    /// Checks what can be checked without resolving: for input forms, when a tenant names the destination.
    pub fn check_url(&self, text: &str) -> Result<Url, OutboundError> {
        if text.len() > limits::OUTBOUND_URL_CHARS_MAX {
            return Err(OutboundError::BadUrl);
        }
        let url = Url::parse(text).map_err(|_| OutboundError::BadUrl)?;
        match url.scheme() {
            "https" => {}
            "http" if self.policy.plain_http => {}
            _ => return Err(OutboundError::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OutboundError::Credentials);
        }
        let port = url.port_or_known_default().ok_or(OutboundError::Scheme)?;
        if !self.policy.ports.contains(&port) {
            return Err(OutboundError::Port(port));
        }
        // The parser has already turned 2130706433, 0x7f.1 and 0177.1 into what they are.
        match url.host().ok_or(OutboundError::BadUrl)? {
            Host::Ipv4(address) => self.check_address(address.into())?,
            Host::Ipv6(address) => self.check_address(address.into())?,
            Host::Domain(name) => check_name(name)?,
        }
        Ok(url)
    }

    /// Whether an address may be called.
    pub fn check_address(&self, address: IpAddr) -> Result<(), OutboundError> {
        let in_any = |ranges: &[Cidr]| ranges.iter().any(|range| range.contains(address));
        if in_any(&self.policy.denied) {
            return Err(OutboundError::NotPublic);
        }
        if is_public(address) || in_any(&self.policy.allowed) {
            Ok(())
        } else {
            Err(OutboundError::NotPublic)
        }
    }

    /// The addresses of a destination, every one of them checked: one bad address condemns the name.
    pub async fn addresses(&self, url: &Url) -> Result<Vec<SocketAddr>, OutboundError> {
        let port = url.port_or_known_default().ok_or(OutboundError::Scheme)?;
        let found = match url.host().ok_or(OutboundError::BadUrl)? {
            Host::Ipv4(address) => vec![IpAddr::V4(address)],
            Host::Ipv6(address) => vec![IpAddr::V6(address)],
            Host::Domain(name) => {
                self.resolver.resolve(name).await.map_err(|_| OutboundError::Unresolvable)?
            }
        };
        if found.is_empty() {
            return Err(OutboundError::Unresolvable);
        }
        found
            .into_iter()
            .map(|address| self.check_address(address).map(|()| SocketAddr::new(address, port)))
            .collect()
    }
}

/// Names that never lead to a public host, whatever a resolver says.
fn check_name(name: &str) -> Result<(), OutboundError> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let private =
        ["localhost", "local", "internal", "intranet", "lan", "home", "corp", "localdomain", "arpa"];
    let last = name.rsplit('.').next().unwrap_or("");
    if name.is_empty() || private.contains(&last) { Err(OutboundError::NotPublic) } else { Ok(()) }
}

/// Whether an address is on the public internet (IANA's special-purpose registries, RFC 6890 and successors).
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = match a {
        0 | 10 | 127 => true,          // this network, private, loopback
        100 => (64..128).contains(&b), // carrier-grade NAT
        169 => b == 254,               // link-local: where clouds keep their metadata
        172 => (16..32).contains(&b),  // private
        192 => matches!((b, c), (0, 0) | (0, 2) | (88, 99) | (168, _)), // protocol, documentation, 6to4 relay, private
        198 => matches!(b, 18 | 19) || (b, c) == (51, 100),             // benchmarking, documentation
        203 => (b, c) == (0, 113),                                      // documentation
        224.. => true,                                                  // multicast, reserved, broadcast
        _ => false,
    };
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let s = address.segments();
    // Forms that carry an IPv4 address are as public as it is.
    if let Some(inner) = embedded_v4(address) {
        return is_public_v4(inner);
    }
    // Everything public today is in 2000::/3; what is special inside it follows.
    let global_unicast = s[0] & 0xe000 == 0x2000;
    let documentation = (s[0] == 0x2001 && s[1] == 0x0db8) || s[0] & 0xfff0 == 0x3ff0;
    // 2001::/23 holds Teredo, ORCHID, benchmarking and protocol assignments.
    let protocol = s[0] == 0x2001 && s[1] < 0x0200;
    global_unicast && !documentation && !protocol
}

/// The IPv4 address that an IPv6 address stands for, in the forms that reach it.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match s {
        // ::ffff:a.b.c.d, and its obsolete "translated" cousin ::ffff:0:a.b.c.d
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => Some(v4(high, low)),
        // ::a.b.c.d, obsolete; :: and ::1 end up as 0.0.0.0 and 0.0.0.1, which are not public either
        [0, 0, 0, 0, 0, 0, high, low] => Some(v4(high, low)),
        // NAT64: well-known 64:ff9b::/96 and local 64:ff9b:1::/48
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(v4(high, low)),
        [0x64, 0xff9b, 1, ..] => Some(Ipv4Addr::UNSPECIFIED),
        // 6to4: 2002:aabb:ccdd::/48
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// A call to be made.
#[derive(Debug, Clone)]
pub struct OutboundRequest {
    /// Method.
    pub method: Method,
    /// Destination.
    pub url: String,
    /// Headers; dropped when a redirect leads to another host.
    pub headers: HeaderMap,
    /// Body; a redirect is not followed with one.
    pub body: Bytes,
    /// Largest answer.
    pub bytes_max: usize,
    /// Longest time in all.
    pub deadline_ms: u64,
}

impl OutboundRequest {
    /// A `GET` with the usual limits.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            url: url.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            bytes_max: limits::OUTBOUND_BYTES_MAX,
            deadline_ms: limits::OUTBOUND_DEADLINE_MS,
        }
    }
}

/// Calls destinations that passed the guard.
#[derive(Clone)]
pub struct Outbound {
    guard: Guard,
    user_agent: String,
}

impl Outbound {
    /// A caller behind this guard.
    #[must_use]
    pub fn new(guard: Guard) -> Self {
        Self { guard, user_agent: format!("Plinth/{}", env!("CARGO_PKG_VERSION")) }
    }

    /// The guard, to check a destination when a tenant names it.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Makes the call.
    pub async fn send(&self, request: OutboundRequest) -> Result<Fetched, OutboundError> {
        let deadline = Duration::from_millis(request.deadline_ms);
        tokio::time::timeout(deadline, self.follow(request)).await.map_err(|_| OutboundError::Deadline)?
    }

    async fn follow(&self, mut request: OutboundRequest) -> Result<Fetched, OutboundError> {
        let mut url = self.guard.check_url(&request.url)?;
        for _ in 0..=limits::OUTBOUND_REDIRECTS_MAX {
            let response = self.once(&url, &request).await?;
            let target = match redirect(&request.method, &response) {
                None => return read(response, request.bytes_max).await,
                Some(target) => url.join(&target).map_err(|_| OutboundError::Redirects)?,
            };
            let target = self.guard.check_url(target.as_str())?;
            if url.scheme() == "https" && target.scheme() != "https" {
                return Err(OutboundError::Scheme); // what was asked for in secret is not looked up in the open
            }
            if target.origin() != url.origin() {
                request.headers.clear();
            }
            url = target;
        }
        Err(OutboundError::Redirects)
    }

    /// One exchange, with a connection of its own to an address that was checked.
    async fn once(&self, url: &Url, request: &OutboundRequest) -> Result<reqwest::Response, OutboundError> {
        let addresses = self.guard.addresses(url).await?;
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent(&self.user_agent)
            .connect_timeout(Duration::from_millis(limits::OUTBOUND_CONNECT_MS))
            .pool_max_idle_per_host(0);
        if let Some(host) = url.host_str() {
            builder = builder.resolve_to_addrs(host, &addresses);
        }
        let client = builder.build().map_err(failed)?;
        client
            .request(request.method.clone(), url.clone())
            .headers(request.headers.clone())
            .body(request.body.clone())
            .send()
            .await
            .map_err(failed)
    }
}

impl JwksFetcher for Outbound {
    fn fetch<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<Vec<u8>, String>> {
        Box::pin(async move {
            let fetched = self.send(OutboundRequest::get(url)).await.map_err(|error| error.to_string())?;
            if !fetched.status.is_success() {
                return Err(format!("the address answered {}", fetched.status));
            }
            Ok(fetched.body.to_vec())
        })
    }
}

fn failed(error: reqwest::Error) -> OutboundError {
    // Without the address: it may hold what the tenant considers a secret.
    OutboundError::Failed(error.without_url().to_string())
}

/// Where an answer sends a request that may be repeated elsewhere.
fn redirect(method: &Method, response: &reqwest::Response) -> Option<String> {
    let follows = response.status().is_redirection() && matches!(*method, Method::GET | Method::HEAD);
    let target = response.headers().get(header::LOCATION).filter(|_| follows)?;
    target.to_str().ok().map(str::to_owned)
}

async fn read(mut response: reqwest::Response, bytes_max: usize) -> Result<Fetched, OutboundError> {
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > bytes_max {
            return Err(OutboundError::TooLarge(bytes_max));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Fetched { status, headers, body: body.freeze() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Fixed(Vec<IpAddr>);
    impl Resolver for Fixed {
        fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, std::io::Result<Vec<IpAddr>>> {
            Box::pin(async move { Ok(self.0.clone()) })
        }
    }

    fn guard(policy: OutboundPolicy, addresses: &[&str]) -> Guard {
        Guard::new(policy, Arc::new(Fixed(addresses.iter().map(|a| a.parse().unwrap()).collect())))
    }

    #[test]
    fn no_spelling_of_a_private_host_gets_through() {
        let guard = guard(OutboundPolicy::default(), &[]);
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://0x7f.1/",
            "http://0/",
            "http://0.0.0.0/",
            "http://10.1.2.3/",
            "http://172.16.0.1/",
            "http://172.31.255.255/",
            "http://192.168.1.1/",
            "http://169.254.169.254/latest/meta-data/",
            "http://100.64.0.1/",
            "http://198.18.0.1/",
            "http://224.0.0.1/",
            "http://255.255.255.255/",
            "http://192.0.2.1/",
            "http://[::1]/",
            "http://[::]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://[::127.0.0.1]/",
            "http://[fe80::1]/",
            "http://[fc00::1]/",
            "http://[fd12:3456::1]/",
            "http://[ff02::1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://[64:ff9b:1::1]/",
            "http://[2002:7f00:1::]/",
            "http://[2002:a00:1::1]/",
            "http://[2001:db8::1]/",
            "http://[2001::1]/",
            "http://[::ffff:0:127.0.0.1]/",
            "http://localhost/",
            "http://LOCALHOST./",
            "http://a.localhost/",
            "http://printer.local/",
            "http://db.internal/",
            "http://１２７.０.０.１/",
            "http://127。0。0。1/",
            "http://%31%32%37.0.0.1/",
        ] {
            assert!(
                matches!(guard.check_url(url), Err(OutboundError::NotPublic)),
                "{url}: {:?}",
                guard.check_url(url)
            );
        }
    }

    #[test]
    fn only_plain_calls_to_usual_ports_are_made() {
        let guard = guard(OutboundPolicy::default(), &[]);
        for url in [
            "file:///etc/passwd",
            "gopher://a.test/",
            "ftp://a.test/",
            "javascript:alert(1)",
            "data:,x",
            "//a.test/",
            "a.test",
            "",
        ] {
            assert!(guard.check_url(url).is_err(), "{url}");
        }
        assert!(matches!(guard.check_url("http://a.test:22/"), Err(OutboundError::Port(22))));
        assert!(matches!(guard.check_url("http://u:p@a.test/"), Err(OutboundError::Credentials)));
        assert!(matches!(guard.check_url("http://u@a.test/"), Err(OutboundError::Credentials)));
        for url in [
            "https://a.test/",
            "http://a.test:8080/x?y",
            "https://93.184.216.34/",
            "https://[2606:2800:220:1::1]/",
        ] {
            assert!(guard.check_url(url).is_ok(), "{url}");
        }
    }

    #[tokio::test]
    async fn one_private_address_condemns_a_name() {
        let url = Url::parse("https://rebinding.test/").unwrap();
        let resolve = |addresses: &[&str]| guard(OutboundPolicy::default(), addresses);
        assert!(resolve(&["93.184.216.34"]).addresses(&url).await.is_ok());
        assert!(matches!(
            resolve(&["93.184.216.34", "10.0.0.1"]).addresses(&url).await,
            Err(OutboundError::NotPublic)
        ));
        assert!(matches!(
            resolve(&["::ffff:169.254.169.254"]).addresses(&url).await,
            Err(OutboundError::NotPublic)
        ));
        assert!(matches!(resolve(&[]).addresses(&url).await, Err(OutboundError::Unresolvable)));
    }

    #[test]
    fn operators_decide_about_ranges() {
        let policy = OutboundPolicy {
            allowed: vec![Cidr::parse("10.1.0.0/16").unwrap()],
            denied: vec![Cidr::parse("93.184.216.0/24").unwrap()],
            ..OutboundPolicy::default()
        };
        let guard = guard(policy, &[]);
        assert!(guard.check_url("http://10.1.2.3/").is_ok());
        assert!(guard.check_url("http://10.2.2.3/").is_err());
        assert!(guard.check_url("http://93.184.216.34/").is_err());
    }

    proptest! {
        /// An IPv4 address is as public as every IPv6 form of it.
        #[test]
        fn disguises_change_nothing(bits: u32) {
            let v4 = Ipv4Addr::from_bits(bits);
            let [a, b, c, d] = v4.octets().map(u16::from);
            let (high, low) = (a << 8 | b, c << 8 | d);
            for form in [
                v4.to_ipv6_mapped(),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            ] {
                prop_assert_eq!(is_public(form.into()), is_public(v4.into()), "{}", form);
            }
        }

        #[test]
        fn nothing_panics(url in "\\PC{0,60}") {
            let _ = guard(OutboundPolicy::default(), &[]).check_url(&url);
        }
    }
}
