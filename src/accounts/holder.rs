//! Who holds an account, as a keyed digest of their national id: enough to tell one person from another and to know a
//! person's own record again, and nothing else. The key lies beside the signing keys, on every server that shares them.

use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::keys::shared_key;
use super::secret::hex;
use crate::config::Entropy;

/// The key of the digests.
pub struct HolderKey([u8; 32]);

impl HolderKey {
    /// The key in that folder; made where there is none.
    pub fn open(folder: &Path, entropy: &Entropy) -> std::io::Result<HolderKey> {
        shared_key(folder, "holders.key", entropy).map(HolderKey)
    }

    /// The digest of a national id in its canonical writing: HMAC-SHA-256 in hexadecimal.
    pub fn digest(&self, national_id: &str) -> String {
        // Any length of key will do for HMAC.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).unwrap_or_else(|_| unreachable!("HMAC takes any key"));
        mac.update(national_id.as_bytes());
        hex(&mac.finalize().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_kept_and_tells_persons_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = HolderKey::open(folder.path(), &Entropy::seeded(1)).expect("makes a key");
        let again = HolderKey::open(folder.path(), &Entropy::seeded(2)).expect("reads it");
        let other = HolderKey::open(tempfile::tempdir().expect("a folder").path(), &Entropy::seeded(2)).expect("makes");
        assert_eq!(key.digest("A123456789"), again.digest("A123456789"));
        assert_ne!(key.digest("A123456789"), key.digest("B123456780"));
        assert_ne!(key.digest("A123456789"), other.digest("A123456789"), "another installation's key");
    }
}
