//! E-mail addresses of members.

use crate::limits::{EMAIL_BYTES_MAX, EMAIL_LOCAL_BYTES_MAX};

/// An address that a login can be made for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email {
    shown: String,
    key: String,
}

/// The text is not an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not an e-mail address such as ada@example.com")]
pub struct EmailError;

impl Email {
    /// Reads `local@domain`. Quoted local parts and address literals are refused: nobody logs in with them.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(EmailError)?;
        let local_ok = (1..=EMAIL_LOCAL_BYTES_MAX).contains(&local.len())
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..")
            && local.chars().all(|c| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c));
        let domain_ok = domain.contains('.') && domain.split('.').all(label_is_valid);
        if text.len() > EMAIL_BYTES_MAX || !local_ok || !domain_ok {
            return Err(EmailError);
        }
        Ok(Self { shown: text.to_owned(), key: text.to_lowercase() })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// What makes two addresses the same account. Lower case throughout: no provider in use tells
    /// `Ada@` from `ada@`, and two accounts that differ in case only are how people get phished.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The part before the `@`, in lower case.
    pub fn local(&self) -> &str {
        self.key.rsplit_once('@').map_or("", |(local, _)| local)
    }
}

fn label_is_valid(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| c.is_alphanumeric() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_told_from_other_text() {
        for good in ["ada@example.com", " Ada.Lovelace+x@mail.example.co.uk ", "jörg@müller.example"] {
            assert!(Email::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@localhost",
            "a..b@example.com",
            ".a@example.com",
            "a b@example.com",
            "ada@-x.com",
            "ada@exa_mple.com",
            "ada@[10.0.0.1]",
            "\"a b\"@example.com",
            "ada@example.com\r\nBcc: x@y.zz",
        ] {
            assert_eq!(Email::parse(bad), Err(EmailError), "{bad}");
        }
        assert_eq!(
            Email::parse("Ada@Example.com").unwrap().key(),
            Email::parse("ada@example.COM").unwrap().key()
        );
        assert!(Email::parse(&format!("{}@example.com", "a".repeat(65))).is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            if let Ok(email) = Email::parse(&text) {
                prop_assert!(email.as_str().len() <= EMAIL_BYTES_MAX && !email.as_str().contains(char::is_control));
            }
        }
    }
}
