//! Keys of the log: one per month for what is sealed (variables, case numbers), one for the digests of
//! answers, one for looking up a case. Destroying a month's key makes its sealed parts unreadable for ever
//! while the records stay. Which bytes are sealed is left to `encode`.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use time::{Date, OffsetDateTime, Time};
use uuid::Uuid;

use super::disk::sync_folder_of;
use crate::config::Entropy;

/// Bytes under a month's key (XChaCha20-Poly1305, the record's id as associated data).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Month of the key, `2026-11`.
    pub partition: String,
    /// Random, never used twice.
    pub nonce: [u8; 24],
    /// Ciphertext and tag.
    pub text: Vec<u8>,
}

/// Why a sealed part cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// No key of that month: destroyed, or not readable by this user.
    #[error("the key of {partition} is not there: {source}")]
    NoKey {
        /// The month.
        partition: String,
        /// What the file system said.
        source: io::Error,
    },
    /// The bytes were altered, or belong to another record.
    #[error("the sealed part does not open under the key of {0}: altered, or of another record")]
    Altered(String),
}

/// The keys in the log's `keys` folder. Keys are made when first needed.
pub struct Keyring {
    folder: PathBuf,
    entropy: Entropy,
    current: ArcSwapOption<Month>,
    loaded: Mutex<HashMap<String, Arc<XChaCha20Poly1305>>>,
    digest: [u8; 32],
    case: Hmac<Sha256>,
}

/// The key in use, and the time it is for.
struct Month {
    from_us: i64,
    until_us: i64,
    partition: String,
    cipher: Arc<XChaCha20Poly1305>,
}

impl Keyring {
    /// Opens the folder, making it and the two lasting keys if they are not there.
    pub fn open(folder: &Path, entropy: Entropy) -> io::Result<Keyring> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let case = load_or_make(folder, "case", &entropy)?;
        Ok(Keyring {
            digest: load_or_make(folder, "digest", &entropy)?,
            // HMAC takes keys of any length.
            case: Hmac::new_from_slice(&case).map_err(io::Error::other)?,
            folder: folder.to_owned(),
            entropy,
            current: ArcSwapOption::empty(),
            loaded: Mutex::default(),
        })
    }

    /// Seals for the month of `at_us`.
    pub fn seal(&self, id: Uuid, at_us: i64, plain: &[u8]) -> io::Result<Sealed> {
        let month = self.month(at_us)?;
        let nonce: [u8; 24] = self.entropy.bytes();
        let text = month
            .cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: id.as_bytes() })
            .map_err(io::Error::other)?;
        Ok(Sealed { partition: month.partition.clone(), nonce, text })
    }

    /// Opens what [`Keyring::seal`] sealed for the record of that id.
    pub fn unseal(&self, id: Uuid, sealed: &Sealed) -> Result<Vec<u8>, SealError> {
        let partition = &sealed.partition;
        // The name comes from a file: it must not lead out of the keys' folder.
        let name_is_month = partition.len() == 7 && partition.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        if !name_is_month {
            return Err(SealError::Altered(partition.clone()));
        }
        let cipher = self
            .cipher(partition, false)
            .map_err(|source| SealError::NoKey { partition: partition.clone(), source })?;
        cipher
            .decrypt(&XNonce::from(sealed.nonce), Payload { msg: &sealed.text, aad: id.as_bytes() })
            .map_err(|_| SealError::Altered(partition.clone()))
    }

    /// Makes sure that the month of `at_us` has its key, so that no request waits for one to be made.
    pub fn prepare(&self, at_us: i64) -> io::Result<()> {
        self.cipher(&month_of(at_us)?.2, true).map(|_| ())
    }

    /// Keyed digest of an answer's body: the first half of BLAKE3's.
    pub fn digest(&self, body: &[u8]) -> [u8; 16] {
        let whole = blake3::keyed_hash(&self.digest, body);
        std::array::from_fn(|index| whole.as_bytes()[index])
    }

    /// Keyed digest by which a case is found in the index.
    pub fn case_key(&self, case_number: &str) -> [u8; 16] {
        let whole = self.case.clone().chain_update(case_number.trim()).finalize().into_bytes();
        std::array::from_fn(|index| whole[index])
    }

    fn month(&self, at_us: i64) -> io::Result<Arc<Month>> {
        if let Some(month) = self.current.load_full().filter(|m| (m.from_us..m.until_us).contains(&at_us)) {
            return Ok(month);
        }
        let (from_us, until_us, partition) = month_of(at_us)?;
        let month = Arc::new(Month { from_us, until_us, cipher: self.cipher(&partition, true)?, partition });
        self.current.store(Some(month.clone()));
        Ok(month)
    }

    fn cipher(&self, partition: &str, make: bool) -> io::Result<Arc<XChaCha20Poly1305>> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cipher) = loaded.get(partition) {
            return Ok(cipher.clone());
        }
        let key = match make {
            true => load_or_make(&self.folder, partition, &self.entropy)?,
            false => load(&self.folder.join(format!("{partition}.key")))?,
        };
        let cipher = Arc::new(XChaCha20Poly1305::new(&key.into()));
        loaded.insert(partition.to_owned(), cipher.clone());
        Ok(cipher)
    }
}

/// First and last microsecond (exclusive) of the month in UTC, and its name.
fn month_of(at_us: i64) -> io::Result<(i64, i64, String)> {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at_us) * 1_000).map_err(io::Error::other)?;
    let first = Date::from_calendar_date(at.year(), at.month(), 1).map_err(io::Error::other)?;
    let days = at.month().length(at.year());
    let from = first.with_time(Time::MIDNIGHT).assume_utc().unix_timestamp() * 1_000_000;
    let partition = format!("{:04}-{:02}", at.year(), u8::from(at.month()));
    Ok((from, from + i64::from(days) * 86_400_000_000, partition))
}

/// Keys are 32 bytes as 64 hexadecimal digits, readable by the owner alone.
fn load(path: &Path) -> io::Result<[u8; 32]> {
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(io::Error::other(format!("{} may be read by others: chmod 600 it", path.display())));
    }
    let text = fs::read_to_string(path)?;
    let digits = text.trim().as_bytes();
    let mut key = [0u8; 32];
    if digits.len() != 64 {
        return Err(io::Error::other(format!("{} is no key: 64 hexadecimal digits expected", path.display())));
    }
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).map_err(io::Error::other)?;
        *byte = u8::from_str_radix(pair, 16).map_err(io::Error::other)?;
    }
    Ok(key)
}

fn load_or_make(folder: &Path, name: &str, entropy: &Entropy) -> io::Result<[u8; 32]> {
    let path = folder.join(format!("{name}.key"));
    match load(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        known => return known,
    }
    let key: [u8; 32] = entropy.bytes();
    let digits: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let draft = folder.join(format!(".{name}.{}.new", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    writeln!(file, "{digits}")?;
    file.sync_all()?;
    // A link does not replace: of two processes that make the same key, the second takes the first one's.
    let linked = fs::hard_link(&draft, &path);
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => sync_folder_of(&path)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    load(&path)
}
