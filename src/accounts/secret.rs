//! Random tokens and digests of them. Passwords are another matter: see `password`.

use sha2::{Digest, Sha256};

use crate::config::Entropy;

/// A token of 256 random bits, in hexadecimal.
pub fn random_token(entropy: &Entropy) -> String {
    hex(&entropy.bytes::<32>())
}

/// SHA-256 in hexadecimal. Enough for what is random already: such a token cannot be guessed from its digest,
/// and looking a digest up tells nothing by its time.
pub fn digest(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// SHA-256.
pub fn fingerprint(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// What a token is remembered by within this process; asked for with every request.
pub fn token_key(token: &str) -> [u8; 32] {
    blake3::hash(token.as_bytes()).into()
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_sha256() {
        assert_eq!(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn tokens_differ() {
        let entropy = Entropy::seeded(1);
        let (one, other) = (random_token(&entropy), random_token(&entropy));
        assert_eq!(one.len(), 64);
        assert_ne!(one, other);
    }
}
