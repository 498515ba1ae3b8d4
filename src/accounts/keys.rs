//! The keys that sign access tokens: Ed25519 files in one folder. The last by name signs, all verify, so a key is
//! rotated by putting a new file beside the old one and removing the old one when its tokens have expired.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::{Value, json};

use super::secret;
use crate::config::{Clock, Entropy};

/// Keys that cannot be read, written or trusted.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file or the folder.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Others than the owner may read it.
    #[error("{path} can be read by others than its owner; run: chmod 600 {path}")]
    Open {
        /// Which.
        path: PathBuf,
    },
    /// Not an Ed25519 key in PKCS#8 PEM.
    #[error("{path} is not an Ed25519 private key in PEM (make one: openssl genpkey -algorithm ed25519): {reason}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the reader said.
        reason: String,
    },
}

/// One key pair.
pub struct Key {
    /// Key id in tokens and in the JWKS: from the public key itself.
    pub id: String,
    /// Signs.
    pub encoding: EncodingKey,
    /// Verifies.
    pub decoding: DecodingKey,
    public: String,
}

/// The keys as last read.
pub struct Keys {
    /// Goes up when the set changes: what was verified under another set is verified again.
    pub generation: u64,
    /// The key that signs.
    pub signing: Arc<Key>,
    by_id: HashMap<String, Arc<Key>>,
    listing: Vec<Listed>,
}

type Listed = (PathBuf, i64, i64);

impl Keys {
    /// The key of that id.
    pub fn find(&self, id: &str) -> Option<&Arc<Key>> {
        self.by_id.get(id)
    }

    /// The public keys as a JSON Web Key Set.
    pub fn jwks(&self) -> Value {
        let mut keys: Vec<&Arc<Key>> = self.by_id.values().collect();
        keys.sort_by(|a, b| a.id.cmp(&b.id));
        let public = |key: &Arc<Key>| json!({ "kty": "OKP", "crv": "Ed25519", "x": key.public, "kid": key.id, "alg": "EdDSA", "use": "sig" });
        json!({ "keys": keys.into_iter().map(public).collect::<Vec<_>>() })
    }
}

/// A key of 32 bytes that is kept in the folder of keys under that name, so that what was made with it holds after a
/// restart and on every server that shares the folder. Made where there is none: of several servers at once, by one.
pub fn shared_key(folder: &Path, name: &str, entropy: &Entropy) -> std::io::Result<[u8; 32]> {
    let file = folder.join(name);
    if !file.exists() {
        let (fresh, suffix): ([u8; 32], [u8; 8]) = (entropy.bytes(), entropy.bytes());
        let making = folder.join(format!("{name}.{}", secret::hex(&suffix)));
        let mut new = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&making)?;
        new.write_all(&fresh)?;
        new.sync_all()?;
        // A link appears whole or not at all, and only where there is none.
        let linked = fs::hard_link(&making, &file);
        fs::remove_file(&making)?;
        linked.or_else(|error| if file.exists() { Ok(()) } else { Err(error) })?;
    }
    read_shared(&file)
}

/// Reads such a key, which only its owner may read.
pub fn read_shared(file: &Path) -> std::io::Result<[u8; 32]> {
    if fs::metadata(file)?.mode() & 0o077 != 0 {
        return Err(std::io::Error::other(KeyError::Open { path: file.to_owned() }));
    }
    let kept = fs::read(file)?;
    kept.try_into().map_err(|_| std::io::Error::other(format!("{} must hold 32 bytes", file.display())))
}

/// The folder of keys, followed while the program runs.
pub struct KeyRing {
    folder: PathBuf,
    keys: ArcSwap<Keys>,
    reading: Mutex<()>,
    last_read: AtomicI64,
    clock: Clock,
}

impl KeyRing {
    /// Reads the keys; makes the folder and a first key when there is none.
    pub fn open(folder: &Path, clock: &Clock, entropy: &Entropy) -> Result<Self, KeyError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|e| at(folder, e))?;
        if list(folder)?.is_empty() {
            make_key(folder, clock, entropy)?;
        }
        let keys = read(folder, 1)?;
        Ok(Self {
            folder: folder.to_owned(),
            keys: ArcSwap::from_pointee(keys),
            reading: Mutex::new(()),
            last_read: AtomicI64::new(clock.seconds()),
            clock: clock.clone(),
        })
    }

    /// The keys as last read.
    pub fn current(&self) -> Arc<Keys> {
        self.keys.load_full()
    }

    /// Number of the present set.
    pub fn generation(&self) -> u64 {
        self.keys.load().generation
    }

    /// Reads the folder again if it has changed. Faults leave the known keys in place.
    pub fn refresh(&self) -> Result<(), KeyError> {
        let _one_at_a_time = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        self.last_read.store(self.clock.seconds(), Ordering::Relaxed);
        let known = self.keys.load();
        if list(&self.folder)? != known.listing {
            self.keys.store(Arc::new(read(&self.folder, known.generation + 1)?));
        }
        Ok(())
    }

    /// The key of that id. An unknown one may be new: the folder is read again, once a second at most.
    pub fn find(&self, id: &str) -> Option<Arc<Key>> {
        if let Some(key) = self.keys.load().find(id) {
            return Some(Arc::clone(key));
        }
        if self.last_read.load(Ordering::Relaxed) < self.clock.seconds()
            && let Err(error) = self.refresh()
        {
            tracing::error!(%error, "the signing keys cannot be read again");
        }
        self.keys.load().find(id).cloned()
    }
}

/// Reads every key of a folder and counts them; makes none.
pub fn inspect(folder: &Path) -> Result<usize, KeyError> {
    list(folder)?.iter().map(|(path, ..)| read_key(path)).try_fold(0, |count, key| key.map(|_| count + 1))
}

/// Makes a key file in `folder`, named so that it signs from now on.
pub fn make_key(folder: &Path, clock: &Clock, entropy: &Entropy) -> Result<PathBuf, KeyError> {
    let key = SigningKey::from_bytes(&entropy.bytes());
    let now = clock.now();
    let path = folder.join(format!(
        "sign-{:04}{:02}{:02}T{:02}{:02}{:02}Z.pem",
        now.year(),
        u8::from(now.month()),
        now.day(),
        now.hour(),
        now.minute(),
        now.second()
    ));
    let pem = key
        .to_pkcs8_pem(LineEnding::LF)
        .map_err(|error| KeyError::Unreadable { path: path.clone(), reason: error.to_string() })?;
    let mut file =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(|e| at(&path, e))?;
    file.write_all(pem.as_bytes()).and_then(|()| file.sync_all()).map_err(|e| at(&path, e))?;
    Ok(path)
}

fn at(path: &Path, source: std::io::Error) -> KeyError {
    KeyError::File { path: path.to_owned(), source }
}

/// The key files with their inode and time of change, in the order of their names.
fn list(folder: &Path) -> Result<Vec<Listed>, KeyError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| at(folder, e))? {
        let path = entry.map_err(|e| at(folder, e))?.path();
        let signs = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("sign-"));
        if signs && path.extension().is_some_and(|extension| extension == "pem") {
            let meta = fs::metadata(&path).map_err(|e| at(&path, e))?;
            if meta.mode() & 0o077 != 0 {
                return Err(KeyError::Open { path });
            }
            files.push((path, meta.mtime(), meta.mtime_nsec()));
        }
    }
    files.sort();
    Ok(files)
}

fn read(folder: &Path, generation: u64) -> Result<Keys, KeyError> {
    let listing = list(folder)?;
    let mut by_id = HashMap::new();
    let mut signing = None;
    for (path, ..) in &listing {
        let key = Arc::new(read_key(path)?);
        by_id.insert(key.id.clone(), Arc::clone(&key));
        signing = Some(key);
    }
    let signing = signing.ok_or_else(|| {
        at(folder, std::io::Error::new(std::io::ErrorKind::NotFound, "there is no sign-*.pem in the folder of keys"))
    })?;
    Ok(Keys { generation, signing, by_id, listing })
}

fn read_key(path: &Path) -> Result<Key, KeyError> {
    let pem = fs::read_to_string(path).map_err(|e| at(path, e))?;
    let unreadable = |reason: String| KeyError::Unreadable { path: path.to_owned(), reason };
    let key = SigningKey::from_pkcs8_pem(&pem).map_err(|error| unreadable(error.to_string()))?;
    let der = key.to_pkcs8_der().map_err(|error| unreadable(error.to_string()))?;
    let public = key.verifying_key();
    let encoded = BASE64_URL_SAFE_NO_PAD.encode(public.as_bytes());
    let decoding = DecodingKey::from_ed_components(&encoded).map_err(|error| unreadable(error.to_string()))?;
    Ok(Key {
        id: secret::hex(&secret::fingerprint(public.as_bytes())[..8]),
        encoding: EncodingKey::from_ed_der(der.as_bytes()),
        decoding,
        public: encoded,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_new_file_signs_and_the_old_one_still_verifies() {
        let folder = tempfile::tempdir().expect("a folder");
        let (clock, entropy) = (Clock::standing_at(datetime!(2026-01-01 00:00 UTC)), Entropy::seeded(1));
        let ring = KeyRing::open(folder.path(), &clock, &entropy).expect("opens");
        let first = ring.current();
        let file = first.listing[0].0.clone();
        assert_eq!(fs::metadata(&file).expect("is there").permissions().mode() & 0o777, 0o600);

        clock.advance(time::Duration::days(30));
        make_key(folder.path(), &clock, &entropy).expect("makes another");
        ring.refresh().expect("reads again");
        let second = ring.current();
        assert_ne!(first.signing.id, second.signing.id);
        assert!(second.find(&first.signing.id).is_some());
        assert_eq!(second.jwks()["keys"].as_array().map(Vec::len), Some(2));

        fs::remove_file(file).expect("removes the old one");
        ring.refresh().expect("reads again");
        assert!(ring.find(&first.signing.id).is_none());
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let (clock, entropy) = (Clock::system(), Entropy::seeded(1));
        let file = make_key(folder.path(), &clock, &entropy).expect("makes one");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("changes its mode");
        let error = KeyRing::open(folder.path(), &clock, &entropy).err().expect("is refused");
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
}
