//! The installation's master key, what is derived from it, and what is sealed with it.

use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use plinth_kernel::World;
use ring::{aead, hkdf, hmac};
use subtle::ConstantTimeEq;

use crate::model::audit::hex;
use crate::secret::Secret;

const KEY_LEN: usize = 32;
const NONCE_LEN: usize = aead::NONCE_LEN;
const SEAL_VERSION: u8 = 1;

/// The secret from which every other one of the installation follows. It stands in a file that only its owner may
/// read, or in the environment; never in the database, so that a copy of the database alone opens nothing.
#[derive(Debug, Clone)]
pub struct MasterKey(Secret<[u8; KEY_LEN]>);

/// Why there is no master key, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The text is not 32 bytes of base64.
    #[error("the master key must be 32 bytes in base64 (44 characters)")]
    Format,
    /// Others may read the file.
    #[error("{path} can be read by other users; run: chmod 600 {path}")]
    Permissions {
        /// The file.
        path: String,
    },
    /// The file cannot be read or written.
    #[error("the master key file {path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
}

impl MasterKey {
    /// Reads a key given as text, for example from the environment.
    pub fn from_base64(text: &str) -> Result<Self, MasterKeyError> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| MasterKeyError::Format)?;
        let key: [u8; KEY_LEN] = bytes.try_into().map_err(|_| MasterKeyError::Format)?;
        Ok(Self(Secret::new(key)))
    }

    /// A new key.
    pub fn generate(world: &World) -> Self {
        Self(Secret::new(world.bytes()))
    }

    /// Reads the key from its file, which is made (mode 0600) when there is none yet. Two processes that start at
    /// once end up with the same key, and a crash never leaves half a file behind.
    pub fn load_or_create(path: &Path, world: &World) -> Result<Self, MasterKeyError> {
        let failed = |source| MasterKeyError::Io { path: path.display().to_string(), source };
        match Self::load(path) {
            Err(MasterKeyError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            loaded => return loaded,
        }
        let draft = path.with_extension(format!("new-{}", world.token()));
        let text = STANDARD.encode(Self::generate(world).0.reveal());
        write_private(&draft, text.as_bytes()).map_err(failed)?;
        // A hard link fails when the name is taken: whoever comes second reads the first one's key.
        let linked = std::fs::hard_link(&draft, path);
        std::fs::remove_file(&draft).map_err(failed)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed(error)),
            _ => Self::load(path),
        }
    }

    fn load(path: &Path) -> Result<Self, MasterKeyError> {
        let failed = |source| MasterKeyError::Io { path: path.display().to_string(), source };
        let file = std::fs::File::open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.mode() & 0o077 != 0 {
            return Err(MasterKeyError::Permissions { path: path.display().to_string() });
        }
        let mut text = String::new();
        file.take(128).read_to_string(&mut text).map_err(failed)?;
        Self::from_base64(&text)
    }

    /// A key for one purpose (HKDF-SHA256): knowing one tells nothing about another or about the master key.
    pub fn derive(&self, purpose: &'static str) -> Secret<[u8; 32]> {
        let master = hkdf::Salt::new(hkdf::HKDF_SHA256, b"plinth.master.v1").extract(self.0.reveal());
        let mut key = [0; KEY_LEN];
        let info = [purpose.as_bytes()];
        // Both calls fail only for lengths beyond 255 blocks; 32 bytes is one.
        if let Ok(output) = master.expand(&info, hkdf::HKDF_SHA256) {
            let _ = output.fill(&mut key);
        }
        Secret::new(key)
    }

    /// A text by which two processes see whether they hold the same key, without giving it away.
    pub fn fingerprint(&self) -> String {
        hex(&self.derive("fingerprint").reveal()[..8])
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The sealed text was damaged, moved to another place or sealed with another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value cannot be opened: it was changed, moved, or sealed with another master key")]
pub struct SealBroken;

/// Seals small secrets for the database (AES-256-GCM). Nonces are random: safe for 2³² values under one key.
#[derive(Clone)]
pub struct Vault {
    key: Secret<[u8; KEY_LEN]>,
    world: World,
}

impl Vault {
    /// The vault of this master key.
    pub fn new(master: &MasterKey, world: World) -> Self {
        Self { key: master.derive("vault"), world }
    }

    fn cipher(&self) -> Option<aead::LessSafeKey> {
        aead::UnboundKey::new(&aead::AES_256_GCM, self.key.reveal()).ok().map(aead::LessSafeKey::new)
    }

    /// Seals `plain` for one place, named by `context` (`tenant|table|column|id`). Elsewhere it will not open, so a
    /// row that is copied to another tenant is worthless there.
    pub fn seal(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>, SealBroken> {
        let nonce: [u8; NONCE_LEN] = self.world.bytes();
        let mut body = plain.to_vec();
        self.cipher()
            .ok_or(SealBroken)?
            .seal_in_place_append_tag(
                aead::Nonce::assume_unique_for_key(nonce),
                aead::Aad::from(context),
                &mut body,
            )
            .map_err(|_| SealBroken)?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + body.len());
        sealed.push(SEAL_VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&body);
        Ok(sealed)
    }

    /// Opens what [`Vault::seal`] sealed for the same place.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Secret<Vec<u8>>, SealBroken> {
        let (version, rest) = sealed.split_first().ok_or(SealBroken)?;
        if *version != SEAL_VERSION || rest.len() < NONCE_LEN {
            return Err(SealBroken);
        }
        let (nonce, body) = rest.split_at(NONCE_LEN);
        let nonce = aead::Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealBroken)?;
        let mut body = body.to_vec();
        let cipher = self.cipher().ok_or(SealBroken)?;
        let plain =
            cipher.open_in_place(nonce, aead::Aad::from(context), &mut body).map_err(|_| SealBroken)?.len();
        body.truncate(plain);
        Ok(Secret::new(body))
    }
}

/// Signs what a browser keeps for us and must not change: the visitor's cookie.
#[derive(Clone)]
pub struct Signer(hmac::Key);

/// Bytes of the MAC kept: 128 bits, forged by guessing only.
const MAC_LEN: usize = 16;

impl Signer {
    /// The signer for one purpose.
    pub fn new(master: &MasterKey, purpose: &'static str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, master.derive(purpose).reveal()))
    }

    /// `value.mac`, bound to `context`.
    pub fn sign(&self, context: &str, value: &str) -> String {
        format!("{value}.{}", URL_SAFE_NO_PAD.encode(self.mac(context, value)))
    }

    /// The value, if this signer signed it for `context`.
    pub fn verify<'a>(&self, context: &str, signed: &'a str) -> Option<&'a str> {
        let (value, mac) = signed.rsplit_once('.')?;
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        bool::from(self.mac(context, value).ct_eq(mac.as_slice())).then_some(value)
    }

    fn mac(&self, context: &str, value: &str) -> [u8; MAC_LEN] {
        let mut hmac = hmac::Context::with_key(&self.0);
        hmac.update(&(context.len() as u64).to_be_bytes());
        hmac.update(context.as_bytes());
        hmac.update(value.as_bytes());
        let mut mac = [0; MAC_LEN];
        mac.copy_from_slice(&hmac.sign().as_ref()[..MAC_LEN]);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn vault() -> (Vault, MasterKey) {
        let (world, _) = World::manual(3);
        let master = MasterKey::generate(&world);
        (Vault::new(&master, world), master)
    }

    #[test]
    fn what_is_sealed_opens_only_in_its_place_and_unchanged() {
        let (vault, _) = vault();
        let sealed = vault.seal("tnt_1|signing_keys|seed|k", b"canary").unwrap();
        assert_eq!(vault.open("tnt_1|signing_keys|seed|k", &sealed).unwrap().reveal(), b"canary");
        assert!(!sealed.windows(6).any(|window| window == b"canary"));
        assert!(vault.open("tnt_2|signing_keys|seed|k", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(vault.open("tnt_1|signing_keys|seed|k", &changed).is_err(), "byte {at}");
            assert!(vault.open("tnt_1|signing_keys|seed|k", &sealed[..at]).is_err(), "cut at {at}");
        }
        let (world, _) = World::manual(99);
        let other = Vault::new(&MasterKey::generate(&world), world);
        assert!(other.open("tnt_1|signing_keys|seed|k", &sealed).is_err());
    }

    #[test]
    fn purposes_have_unrelated_keys() {
        let (_, master) = vault();
        assert_ne!(master.derive("a").reveal(), master.derive("b").reveal());
        assert_eq!(master.derive("a").reveal(), master.derive("a").reveal());
        assert_eq!(master.fingerprint().len(), 16);
    }

    #[test]
    fn a_signed_value_is_bound_to_its_context() {
        let (_, master) = vault();
        let signer = Signer::new(&master, "visitor");
        let signed = signer.sign("tnt_1", "v1");
        assert_eq!(signer.verify("tnt_1", &signed), Some("v1"));
        for (context, text) in
            [("tnt_2", signed.as_str()), ("tnt_1", "v1"), ("tnt_1", "v1."), ("tnt_1", ""), ("tnt_1v", "1.x")]
        {
            assert_eq!(signer.verify(context, text), None, "{context} {text}");
        }
        assert_eq!(Signer::new(&master, "other").verify("tnt_1", &signed), None);
    }

    #[test]
    fn the_key_file_is_private_and_made_once() {
        let world = World::system();
        let directory = std::env::temp_dir().join(format!("plinth-vault-{}", world.token()));
        std::fs::create_dir(&directory).unwrap();
        let path = directory.join("master.key");
        let keys: Vec<String> = std::thread::scope(|scope| {
            let handles: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| MasterKey::load_or_create(&path, &world).unwrap().fingerprint()))
                .collect();
            handles.into_iter().map(|handle| handle.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 1, "no draft is left behind");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(MasterKey::load_or_create(&path, &world), Err(MasterKeyError::Permissions { .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, "short").unwrap();
        assert!(matches!(MasterKey::load_or_create(&path, &world), Err(MasterKeyError::Format)));
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
