//! Which passwords are accepted. Length and a block list, no composition rules (NIST SP 800-63B §5.1.1.2).

use unicode_normalization::UnicodeNormalization;

use crate::limits::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN};
use crate::model::email::Email;
use crate::secret::Secret;

/// Roots of the passwords that guessing tools try first; digits and signs around them do not help.
const COMMON_ROOTS: &[&str] = &[
    "abc",
    "access",
    "admin",
    "administrator",
    "asdf",
    "asdfgh",
    "asdfghjkl",
    "batman",
    "changeme",
    "computer",
    "default",
    "dragon",
    "football",
    "freedom",
    "guest",
    "hello",
    "iloveyou",
    "internet",
    "letmein",
    "login",
    "master",
    "michael",
    "monkey",
    "p@ssw0rd",
    "pass",
    "passw0rd",
    "password",
    "plinth",
    "princess",
    "qazwsx",
    "qwer",
    "qwerty",
    "qwertyui",
    "qwertyuiop",
    "qwertz",
    "root",
    "secret",
    "shadow",
    "starwars",
    "sunshine",
    "superman",
    "test",
    "trustno",
    "user",
    "welcome",
    "whatever",
    "zxcvbn",
    "zxcvbnm",
];

/// Why a password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Fewer characters than [`PASSWORD_CHARS_MIN`].
    #[error("the password needs at least {PASSWORD_CHARS_MIN} characters")]
    TooShort,
    /// More bytes than [`PASSWORD_BYTES_MAX`].
    #[error("the password may have at most {PASSWORD_BYTES_MAX} bytes")]
    TooLong,
    /// It is among those that are tried first, or repeats a few characters.
    #[error("this password is among the first that are guessed; use a few unrelated words")]
    Common,
    /// It is the account's own address or name.
    #[error("the password must not be made of the e-mail address")]
    Personal,
}

impl PasswordError {
    /// The stable name for `errors[].code`.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::Common => "too_common",
            Self::Personal => "too_personal",
        }
    }
}

/// A password in the form that is hashed: NFKC, so that the same keys give the same password on every keyboard.
#[derive(Debug, Clone)]
pub struct Password(Secret<String>);

impl Password {
    /// Accepts a new password for the account of `email`.
    pub fn choose(text: &str, email: &Email) -> Result<Self, PasswordError> {
        let password = Self::presented(text)?;
        let chosen = password.reveal();
        if chosen.chars().count() < PASSWORD_CHARS_MIN {
            return Err(PasswordError::TooShort);
        }
        let lower = chosen.to_lowercase();
        let root = lower.trim_matches(|c: char| !c.is_alphabetic());
        let distinct: std::collections::BTreeSet<char> = lower.chars().collect();
        if root.is_empty() || distinct.len() < 5 || COMMON_ROOTS.contains(&root) || is_run(&lower) {
            return Err(PasswordError::Common);
        }
        if lower == email.key() || root == email.local() {
            return Err(PasswordError::Personal);
        }
        Ok(password)
    }

    /// A password as typed at a login. Only its length is judged: older rules must not lock people out.
    pub fn presented(text: &str) -> Result<Self, PasswordError> {
        if text.len() > PASSWORD_BYTES_MAX {
            return Err(PasswordError::TooLong);
        }
        let normal: String = text.nfkc().collect();
        // One compatibility character can become eighteen: the limit holds for what is hashed, too.
        if normal.len() > PASSWORD_BYTES_MAX {
            return Err(PasswordError::TooLong);
        }
        Ok(Self(Secret::new(normal)))
    }

    /// The text to hash.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }
}

/// `12345…`, `abcde…` and their reverse.
fn is_run(text: &str) -> bool {
    let codes: Vec<i64> = text.chars().map(|c| i64::from(u32::from(c))).collect();
    let steady = |step: i64| codes.windows(2).all(|pair| pair[1] - pair[0] == step);
    steady(1) || steady(-1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn choose(text: &str) -> Result<(), PasswordError> {
        Password::choose(text, &Email::parse("rosalind@example.com").unwrap()).map(|_| ())
    }

    #[test]
    fn guessable_passwords_are_refused_and_phrases_accepted() {
        for good in ["correct horse battery", "tr0ub4dor&3xy", "пароль-длинный", "horse staple 9"]
        {
            assert_eq!(choose(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("short", PasswordError::TooShort),
            ("", PasswordError::TooShort),
            ("Password123!", PasswordError::Common),
            ("qwertyuiop1", PasswordError::Common),
            ("1234567890", PasswordError::Common),
            ("abcdefghijkl", PasswordError::Common),
            ("aaaaaaaaaaaa", PasswordError::Common),
            ("01012024!!", PasswordError::Common),
            ("rosalind@example.com", PasswordError::Personal),
            ("rosalind2026", PasswordError::Personal),
        ] {
            assert_eq!(choose(bad), Err(why), "{bad}");
        }
        assert_eq!(choose(&"xyzzy ".repeat(60)), Err(PasswordError::TooLong));
        assert_eq!(choose(&"\u{fdfa}".repeat(80)), Err(PasswordError::TooLong));
    }

    #[test]
    fn keyboards_that_compose_differently_agree() {
        let composed = Password::presented("caf\u{e9}-au-lait").unwrap();
        let decomposed = Password::presented("cafe\u{301}-au-lait").unwrap();
        assert_eq!(composed.reveal(), decomposed.reveal());
    }

    #[test]
    fn a_password_is_not_in_its_debug_text() {
        assert!(!format!("{:?}", Password::presented("canary-4711-x").unwrap()).contains("canary"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,300}") { let _ = choose(&text); }
    }
}
