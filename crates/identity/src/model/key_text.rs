//! The text of an API key: `plk_{live|test}_{key id}_{secret}{crc}`.
//!
//! | part | characters | meaning |
//! |---|---|---|
//! | `plk_live_` / `plk_test_` | 9 | what it is and whose data it may touch, for people and secret scanners |
//! | key id | 12 base62 | finds the row; not secret |
//! | `_` | 1 | |
//! | secret | 43 base62 | 256 bits; only its SHA-256 is stored |
//! | crc | 6 base62 | CRC-32 of everything before it: a mistyped key is told apart from an unknown one without a read, and a scanner has no false hits |

use std::fmt;

use plinth_kernel::{Mode, World};
use sha2::{Digest, Sha256};

use crate::secret::Secret;

/// Characters of the key id inside a key.
pub const HANDLE_LEN: usize = 12;
const SECRET_LEN: usize = 43;
const CRC_LEN: usize = 6;
const PREFIX_LEN: usize = "plk_live_".len();
/// Length of every key.
pub const KEY_LEN: usize = PREFIX_LEN + HANDLE_LEN + 1 + SECRET_LEN + CRC_LEN;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The public part of a key that finds its row.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyHandle([u8; HANDLE_LEN]);

impl KeyHandle {
    /// Reads a handle as it stands in a row or in a key.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; HANDLE_LEN] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_alphanumeric).then_some(Self(bytes))
    }

    /// The handle as text.
    pub fn as_str(&self) -> &str {
        // Only ASCII letters and digits ever get in, so this cannot fail; an empty text finds no row.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for KeyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyHandle({})", self.as_str())
    }
}

/// Why a text is not an API key. It says nothing about whether such a key exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyTextError {
    /// It does not start with `plk_live_` or `plk_test_`.
    #[error("an API key starts with plk_live_ or plk_test_")]
    Prefix,
    /// It is too short or too long.
    #[error("an API key has {KEY_LEN} characters")]
    Length,
    /// It holds something else than letters and digits.
    #[error("an API key consists of letters and digits")]
    Alphabet,
    /// Its checksum does not fit: a character is wrong.
    #[error("the API key is mistyped: its checksum does not fit")]
    Checksum,
}

/// A well-formed key as presented by a caller.
#[derive(Clone, Copy)]
pub struct PresentedKey<'a> {
    /// Live or test, as the text claims.
    pub mode: Mode,
    /// Which row it claims to be.
    pub handle: KeyHandle,
    secret: &'a str,
}

impl<'a> PresentedKey<'a> {
    /// Reads a key; any text is fine, none panics.
    pub fn parse(text: &'a str) -> Result<Self, KeyTextError> {
        let mode = match text.get(..PREFIX_LEN) {
            Some("plk_live_") => Mode::Live,
            Some("plk_test_") => Mode::Test,
            _ => return Err(KeyTextError::Prefix),
        };
        if text.len() != KEY_LEN {
            return Err(KeyTextError::Length);
        }
        let bytes = text.as_bytes();
        let separator = PREFIX_LEN + HANDLE_LEN;
        let alphanumeric = |part: &[u8]| part.iter().all(u8::is_ascii_alphanumeric);
        if bytes[separator] != b'_'
            || !alphanumeric(&bytes[PREFIX_LEN..separator])
            || !alphanumeric(&bytes[separator + 1..])
        {
            return Err(KeyTextError::Alphabet);
        }
        let (body, crc) = text.split_at(KEY_LEN - CRC_LEN);
        if crc.as_bytes() != checksum(body.as_bytes()) {
            return Err(KeyTextError::Checksum);
        }
        let handle = KeyHandle::parse(&text[PREFIX_LEN..separator]).ok_or(KeyTextError::Alphabet)?;
        Ok(Self { mode, handle, secret: &body[separator + 1..] })
    }

    /// SHA-256 of the secret part: what the row holds. A fast hash is right, since the secret has 256 random bits.
    pub fn secret_hash(&self) -> [u8; 32] {
        Sha256::digest(self.secret.as_bytes()).into()
    }
}

impl fmt::Debug for PresentedKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresentedKey")
            .field("mode", &self.mode)
            .field("handle", &self.handle)
            .finish_non_exhaustive()
    }
}

/// A key that was just made: its text exists here and at its owner's, nowhere else.
#[derive(Debug)]
pub struct FreshKey {
    /// Finds the row.
    pub handle: KeyHandle,
    /// What is stored.
    pub secret_hash: [u8; 32],
    /// The last four characters of the text, to recognise it in a list.
    pub last4: String,
    /// The text itself, shown once.
    pub text: Secret<String>,
}

impl FreshKey {
    /// Makes a key for `mode`.
    pub fn generate(world: &World, mode: Mode) -> Self {
        let handle = KeyHandle(random_base62(world));
        let secret: [u8; SECRET_LEN] = random_base62(world);
        let mut text = String::with_capacity(KEY_LEN);
        text.push_str(match mode {
            Mode::Live => "plk_live_",
            Mode::Test => "plk_test_",
        });
        text.push_str(handle.as_str());
        text.push('_');
        text.extend(secret.iter().copied().map(char::from));
        let crc = checksum(text.as_bytes());
        text.extend(crc.iter().copied().map(char::from));
        Self {
            handle,
            secret_hash: Sha256::digest(secret).into(),
            last4: text[KEY_LEN - 4..].to_owned(),
            text: Secret::new(text),
        }
    }
}

/// `N` uniformly random base62 characters. Bytes from 248 up are thrown away, so that no character is likelier.
fn random_base62<const N: usize>(world: &World) -> [u8; N] {
    const UNBIASED: u8 = 248;
    let mut out = [0; N];
    let mut filled = 0;
    while filled < N {
        for byte in world.bytes::<64>() {
            if filled < N && byte < UNBIASED {
                out[filled] = BASE62[usize::from(byte % 62)];
                filled += 1;
            }
        }
    }
    out
}

fn checksum(bytes: &[u8]) -> [u8; CRC_LEN] {
    let mut rest = crc32(bytes);
    let mut out = [b'0'; CRC_LEN];
    for place in out.iter_mut().rev() {
        *place = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    out
}

/// CRC-32 as in IEEE 802.3 (reflected, polynomial 0xEDB88320).
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = crc32_table();
    !bytes.iter().fold(!0, |crc, byte| TABLE[((crc ^ u32::from(*byte)) & 0xff) as usize] ^ (crc >> 8))
}

const fn crc32_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn crc_agrees_with_the_published_check_value() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn a_fresh_key_reads_back_and_shows_only_its_end() {
        let (world, _) = World::manual(1);
        for mode in [Mode::Live, Mode::Test] {
            let fresh = FreshKey::generate(&world, mode);
            let text = fresh.text.reveal();
            let read = PresentedKey::parse(text).unwrap();
            assert_eq!((read.mode, read.handle, read.secret_hash()), (mode, fresh.handle, fresh.secret_hash));
            assert!(text.ends_with(&fresh.last4) && fresh.last4.len() == 4);
            let secret = &text[PREFIX_LEN + HANDLE_LEN + 1..KEY_LEN - CRC_LEN];
            assert!(!format!("{fresh:?} {read:?}").contains(secret));
        }
    }

    #[test]
    fn characters_are_drawn_evenly() {
        let (world, _) = World::manual(2);
        let mut counts = [0_u32; 256];
        for _ in 0..2_000 {
            for byte in random_base62::<43>(&world) {
                counts[usize::from(byte)] += 1;
            }
        }
        let expected = 2_000 * 43 / 62;
        for byte in BASE62 {
            let seen = counts[usize::from(*byte)];
            assert!((expected * 8 / 10..expected * 12 / 10).contains(&seen), "{} {seen}", char::from(*byte));
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_only_true_keys_pass(text in "\\PC{0,100}") {
            prop_assert!(PresentedKey::parse(&text).is_err());
        }

        #[test]
        fn one_wrong_character_never_passes(seed in 0_u64..5_000, at in 0_usize..KEY_LEN, with in "[0-9A-Za-z_]") {
            let (world, _) = World::manual(seed);
            let text = FreshKey::generate(&world, Mode::Live).text.into_revealed();
            let mut changed = text.clone();
            changed.replace_range(at..=at, &with);
            prop_assert_eq!(PresentedKey::parse(&changed).is_ok(), changed == text);
        }

        #[test]
        fn a_cut_or_padded_key_never_passes(seed in 0_u64..1_000, cut in 0_usize..KEY_LEN, pad in "[0-9A-Za-z]{1,8}") {
            let (world, _) = World::manual(seed);
            let text = FreshKey::generate(&world, Mode::Test).text.into_revealed();
            prop_assert!(PresentedKey::parse(&text[..cut]).is_err());
            let padded = format!("{text}{pad}");
            prop_assert!(PresentedKey::parse(&padded).is_err());
        }
    }
}
