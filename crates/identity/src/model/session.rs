//! Console sessions and the visitor's cookie: lifetimes and cookie headers.

use plinth_kernel::Micros;

use crate::limits::{SESSION_ABSOLUTE_MS, SESSION_IDLE_MS};

/// Name of the session cookie over HTTPS. `__Host-` makes the browser refuse it from a subdomain, without
/// `Secure` or with another path (RFC 6265bis §4.1.3.2).
pub const SECURE_COOKIE: &str = "__Host-plinth_session";
/// Name of the session cookie over plain HTTP, which is for this machine only.
pub const PLAIN_COOKIE: &str = "plinth_session";
/// Name of the visitor's cookie.
pub const VISITOR_COOKIE: &str = "plinth_visitor";
/// How long a browser keeps the visitor's cookie, in seconds.
pub const VISITOR_COOKIE_SECONDS: u64 = 180 * 24 * 3600;

/// When a session was last used and when it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTimes {
    /// Login.
    pub created_at: Micros,
    /// Last request seen.
    pub last_seen_at: Micros,
}

impl SessionTimes {
    /// When it ends if nothing more happens.
    pub fn ends_at(&self) -> Micros {
        let idle = self.last_seen_at.plus_ms(SESSION_IDLE_MS as i64);
        idle.min(self.absolute_end())
    }

    /// When it ends whatever happens.
    pub fn absolute_end(&self) -> Micros {
        self.created_at.plus_ms(SESSION_ABSOLUTE_MS as i64)
    }

    /// Whether it still counts.
    pub fn is_live(&self, now: Micros) -> bool {
        now < self.ends_at()
    }
}

/// The `Set-Cookie` value that opens a session.
pub fn open_cookie(token: &str, secure: bool) -> String {
    let max_age = SESSION_ABSOLUTE_MS / 1_000;
    let (name, flag) = if secure { (SECURE_COOKIE, "; Secure") } else { (PLAIN_COOKIE, "") };
    format!("{name}={token}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{flag}")
}

/// The `Set-Cookie` value that ends a session in the browser.
pub fn close_cookie(secure: bool) -> String {
    let (name, flag) = if secure { (SECURE_COOKIE, "; Secure") } else { (PLAIN_COOKIE, "") };
    format!("{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{flag}")
}

/// The `Set-Cookie` value that names a visitor.
pub fn visitor_cookie(value: &str, secure: bool) -> String {
    let flag = if secure { "; Secure" } else { "" };
    format!(
        "{VISITOR_COOKIE}={value}; Path=/; Max-Age={VISITOR_COOKIE_SECONDS}; HttpOnly; SameSite=Lax{flag}"
    )
}

/// The session token in a `Cookie` header. The secure name wins: a plain one can be planted by a subdomain.
pub fn session_token(cookie_header: &str) -> Option<&str> {
    cookie(cookie_header, SECURE_COOKIE).or_else(|| cookie(cookie_header, PLAIN_COOKIE))
}

/// The first cookie of that name in a `Cookie` header.
pub fn cookie<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.split(';').find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then(|| value.trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{DAY_MS, HOUR_MS};

    const NOW: Micros = Micros(1_767_225_600_000_000);

    #[test]
    fn a_session_ends_after_twelve_idle_hours_and_after_a_week_anyway() {
        let fresh = SessionTimes { created_at: NOW, last_seen_at: NOW };
        assert!(fresh.is_live(NOW.plus_ms(12 * HOUR_MS as i64 - 1)));
        assert!(!fresh.is_live(NOW.plus_ms(12 * HOUR_MS as i64)));
        let week = NOW.plus_ms(7 * DAY_MS as i64);
        let busy = SessionTimes { created_at: NOW, last_seen_at: week.plus_ms(-1) };
        assert!(busy.is_live(week.plus_ms(-1)) && !busy.is_live(week));
    }

    #[test]
    fn cookies_are_found_and_the_secure_one_wins() {
        let header = "a=b; plinth_session=planted; __Host-plinth_session=true-one; plinth_visitor=\"v\"";
        assert_eq!(session_token(header), Some("true-one"));
        assert_eq!(session_token("plinth_session=x"), Some("x"));
        assert_eq!(cookie(header, VISITOR_COOKIE), Some("v"));
        for none in ["", ";;;", "plinth_session", "xplinth_session=1", "="] {
            assert_eq!(session_token(none), None, "{none}");
        }
    }

    #[test]
    fn session_cookies_are_closed_to_scripts_and_other_sites() {
        let cookie = open_cookie("t", true);
        for part in ["__Host-plinth_session=t", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert!(!cookie.contains("Domain"));
        assert!(close_cookie(false).contains("Max-Age=0") && !open_cookie("t", false).contains("Secure"));
    }
}
