//! Keys of the log: one per month for what is sealed (variables, case numbers), one for the digests of
//! answers, one for looking up a case. Destroying a month's key makes its sealed parts unreadable for ever
//! while the records stay. Which bytes are sealed is left to `encode`.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwapOption;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use time::{Date, OffsetDateTime, Time};
use uuid::Uuid;

use super::key_file;
use crate::config::Entropy;

/// Bytes under a month's key (XChaCha20-Poly1305, the record's id as associated data).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Name of the key: its month, `2026-11`; `2026-11.2` where the first one was lost.
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
    /// The key's file is younger than the record.
    #[error(
        "the sealed part does not open under the key of {0}, whose file is younger than the record: it is probably not the \
         key that sealed it; put back the one from before"
    )]
    OtherKey(String),
    /// The bytes were altered, or belong to another record.
    #[error("the sealed part does not open under the key of {0}: altered, or of another record")]
    Altered(String),
}

/// The keys that a log keeps for all its time, and what to do without a copy of one.
const LASTING: [(&str, &str); 2] = [
    ("case", "cases are found again after `cityquery audit reindex`"),
    ("digest", "what was answered until now can then no longer be proved"),
];

/// The keys in the log's `keys` folder. A month's key is made when first needed.
pub struct Keyring {
    folder: PathBuf,
    entropy: Entropy,
    current: ArcSwapOption<Month>,
    loaded: Mutex<HashMap<String, Key>>,
    /// In the order of [`LASTING`].
    lasting: [[u8; 32]; 2],
    case: Hmac<Sha256>,
}

#[derive(Clone)]
struct Key {
    bytes: [u8; 32],
    cipher: Arc<XChaCha20Poly1305>,
}

/// The key in use, and the time it is for.
struct Month {
    from_us: i64,
    until_us: i64,
    partition: String,
    cipher: Arc<XChaCha20Poly1305>,
}

impl Keyring {
    /// Makes the folder of a new log, and the two lasting keys.
    pub fn make(folder: &Path, entropy: Entropy) -> io::Result<Keyring> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        for (name, _) in LASTING {
            if !key_file::path(folder, name).exists() {
                key_file::make(folder, name, &entropy.bytes())?;
            }
        }
        Keyring::open(folder, entropy)
    }

    /// Opens the keys of a log that has records. A lasting key that is gone is not replaced: another one opens nothing.
    pub fn open(folder: &Path, entropy: Entropy) -> io::Result<Keyring> {
        let [case, digest] = LASTING.map(|(name, without)| {
            key_file::load(folder, name).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => io::Error::other(format!(
                    "{} is gone, and the log has records that were made with it: put it back from a backup. Without one, \
                     make another (`openssl rand -hex 32`, chmod 600): {without}",
                    key_file::path(folder, name).display()
                )),
                _ => error,
            })
        });
        let lasting = [case?, digest?];
        Ok(Keyring {
            // HMAC takes keys of any length.
            case: Hmac::new_from_slice(&lasting[0]).map_err(io::Error::other)?,
            lasting,
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
        if partition.is_empty() || !partition.bytes().all(|b| b.is_ascii_digit() || b == b'-' || b == b'.') {
            return Err(SealError::Altered(partition.clone()));
        }
        let key =
            self.load(partition, None).map_err(|source| SealError::NoKey { partition: partition.clone(), source })?;
        key.cipher
            .decrypt(&XNonce::from(sealed.nonce), Payload { msg: &sealed.text, aad: id.as_bytes() })
            .map_err(|_| SealError::Altered(partition.clone()))
    }

    /// Whether the file of a key is younger than a moment.
    pub fn is_younger(&self, partition: &str, than_us: i64) -> bool {
        let than = SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(than_us).unwrap_or(0));
        let made = fs::metadata(key_file::path(&self.folder, partition)).and_then(|file| file.modified());
        made.is_ok_and(|made| made > than)
    }

    /// Makes sure that the month of `at_us` has its key, so that no request waits for one to be made.
    pub fn prepare(&self, at_us: i64) -> io::Result<()> {
        self.of_month(&month_of(at_us)?.2).map(drop)
    }

    /// Name of the key that seals in a month: of several, the last. `None` where there is none.
    pub fn key_of(&self, month: &str) -> io::Result<Option<String>> {
        let names = key_file::names(&self.folder)?;
        Ok(names
            .into_iter()
            .filter(|name| generation(name, month).is_some())
            .max_by_key(|name| generation(name, month)))
    }

    /// Makes a key of that name.
    pub fn begin(&self, name: &str) -> io::Result<()> {
        self.load(name, Some(self.entropy.bytes())).map(drop)
    }

    /// Writes back what is gone of the keys in use, those of the month of `now_us` and later among them. Says what was wrong.
    pub fn watch(&self, now_us: i64) -> io::Result<Vec<String>> {
        let (.., month) = month_of(now_us)?;
        let mut used: Vec<(String, [u8; 32])> = {
            let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
            loaded.iter().filter(|(name, _)| **name >= month).map(|(name, key)| (name.clone(), key.bytes)).collect()
        };
        used.extend(LASTING.iter().zip(self.lasting).map(|((name, _), key)| ((*name).to_owned(), key)));
        used.sort();
        Ok(used.into_iter().filter_map(|(name, key)| self.look(&name, &key)).collect())
    }

    /// What is wrong with the file of a key in use, which is written back where it is gone.
    fn look(&self, name: &str, key: &[u8; 32]) -> Option<String> {
        let path = key_file::path(&self.folder, name);
        match key_file::load(&self.folder, name) {
            Ok(found) if found == *key => None,
            Ok(_) => Some(format!("{} is another key than the one in use: put that one back", path.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Some(match key_file::make(&self.folder, name, key) {
                    Ok(_) => format!("{} was gone, and was written back: records need it", path.display()),
                    Err(error) => format!("{} is gone and cannot be written back: {error}", path.display()),
                })
            }
            Err(error) => Some(error.to_string()),
        }
    }

    /// Keyed digest of an answer's body: the first half of BLAKE3's.
    pub fn digest(&self, body: &[u8]) -> [u8; 16] {
        let whole = blake3::keyed_hash(&self.lasting[1], body);
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
        let (from_us, until_us, month) = month_of(at_us)?;
        let (partition, cipher) = self.of_month(&month)?;
        let month = Arc::new(Month { from_us, until_us, cipher, partition });
        self.current.store(Some(month.clone()));
        Ok(month)
    }

    fn of_month(&self, month: &str) -> io::Result<(String, Arc<XChaCha20Poly1305>)> {
        let partition = self.key_of(month)?.unwrap_or_else(|| month.to_owned());
        let key = self.load(&partition, Some(self.entropy.bytes()))?;
        Ok((partition, key.cipher))
    }

    /// The key of that name; `fresh` is written where there is none.
    fn load(&self, name: &str, fresh: Option<[u8; 32]>) -> io::Result<Key> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = loaded.get(name) {
            return Ok(key.clone());
        }
        let bytes = match (key_file::load(&self.folder, name), fresh) {
            (Err(error), Some(fresh)) if error.kind() == io::ErrorKind::NotFound => {
                key_file::make(&self.folder, name, &fresh)?
            }
            (known, _) => known?,
        };
        let key = Key { bytes, cipher: Arc::new(XChaCha20Poly1305::new(&bytes.into())) };
        loaded.insert(name.to_owned(), key.clone());
        Ok(key)
    }
}

/// Which of a month's keys has that name, from 1; `None` for other names.
pub(super) fn generation(name: &str, month: &str) -> Option<u32> {
    match name.strip_prefix(month)? {
        "" => Some(1),
        rest => rest.strip_prefix('.')?.parse().ok(),
    }
}

/// First and last microsecond (exclusive) of the month in UTC, and its name.
pub(super) fn month_of(at_us: i64) -> io::Result<(i64, i64, String)> {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at_us) * 1_000).map_err(io::Error::other)?;
    let first = Date::from_calendar_date(at.year(), at.month(), 1).map_err(io::Error::other)?;
    let days = at.month().length(at.year());
    let from = first.with_time(Time::MIDNIGHT).assume_utc().unix_timestamp() * 1_000_000;
    let partition = format!("{:04}-{:02}", at.year(), u8::from(at.month()));
    Ok((from, from + i64::from(days) * 86_400_000_000, partition))
}

/// What is wrong with the keys in a folder; in use, the lasting ones must be there.
pub fn faults(folder: &Path, is_in_use: bool) -> Vec<String> {
    let mut names = match key_file::names(folder) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !is_in_use => return Vec::new(),
        Err(error) => return vec![format!("{}: {error}", folder.display())],
    };
    if is_in_use {
        names.extend(LASTING.map(|(name, _)| name.to_owned()));
        names.sort();
        names.dedup();
    }
    let told = |name: &String| {
        let path = key_file::path(folder, name);
        key_file::load(folder, name).err().map(|error| match error.kind() {
            io::ErrorKind::Other => error.to_string(), // names the file
            _ => format!("{}: {error}", path.display()),
        })
    };
    names.iter().filter_map(told).collect()
}
