//! Passwords: hashing (argon2id) off the async runtime and bounded, verifying, and what a new one must be.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::config::Entropy;

/// Sign-ins that may wait for a core; further ones are told to come back.
const WAITING_AT_MOST: usize = 256;

/// Shortest password.
pub const SHORTEST: usize = 12;

/// Least score of a new password: more than 10^8 guesses, out of reach of somebody who tries at the door.
const SCORE: zxcvbn::Score = zxcvbn::Score::Three;

/// Why hashing did not happen.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// Too many are waiting already.
    #[error("too many sign-ins are waiting")]
    Busy,
    /// The stored hash or the settings are unusable.
    #[error("password hash: {0}")]
    Unusable(String),
}

/// Hashes and verifies, with as many at a time as there are cores.
pub struct Hasher {
    argon2: Argon2<'static>,
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// A well-formed hash of nothing: verified when there is no account, so that both answers take as long.
    nobody: String,
}

impl Hasher {
    /// With the parameters that OWASP recommends (19 MiB, two passes, one lane), which are argon2's defaults.
    pub fn new(entropy: &Entropy) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let params = Params::DEFAULT;
        let filler = |length: usize| -> String {
            let mut bytes = vec![0; length];
            entropy.fill(&mut bytes);
            const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
            bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 63)])).collect()
        };
        // 22 and 43 base64 digits are 16 and 32 bytes; the last digit of each may hold only unused bits that are zero.
        let nobody = format!(
            "$argon2id$v=19$m={},t={},p={}${}A${}A",
            params.m_cost(),
            params.t_cost(),
            params.p_cost(),
            filler(21),
            filler(42)
        );
        Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            permits: Arc::new(Semaphore::new(cores)),
            waiting: AtomicUsize::new(0),
            nobody,
        }
    }

    /// The PHC string of a password.
    pub async fn hash(&self, password: &str, salt: [u8; 16]) -> Result<String, HashError> {
        let (argon2, password) = (self.argon2.clone(), password.to_owned());
        self.on_a_core(move || {
            let hash = argon2.hash_password_with_salt(password.as_bytes(), &salt);
            hash.map(|hash| hash.to_string()).map_err(|error| HashError::Unusable(error.to_string()))
        })
        .await
    }

    /// Whether the password is the one hashed; without a hash never, after the same time.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, HashError> {
        let exists = hash.is_some();
        let (argon2, password) = (self.argon2.clone(), password.to_owned());
        let hash = hash.unwrap_or(&self.nobody).to_owned();
        self.on_a_core(move || {
            let hash = PasswordHash::new(&hash).map_err(|error| HashError::Unusable(error.to_string()))?;
            Ok(argon2.verify_password(password.as_bytes(), &hash).is_ok() && exists)
        })
        .await
    }

    /// Checks a new password, where it keeps nobody else waiting: guessing takes a while.
    pub async fn check(&self, about: &About, password: &str) -> Result<Result<(), Weakness>, HashError> {
        let (about, password) = (about.clone(), password.to_owned());
        self.on_a_core(move || Ok(check_strength(&about, &password))).await
    }

    async fn on_a_core<T, F>(&self, work: F) -> Result<T, HashError>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, HashError> + Send + 'static,
    {
        let _place = Place::take(&self.waiting)?;
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| HashError::Busy)?;
        let done = tokio::task::spawn_blocking(move || {
            // Held to the end of the work, even when the request that asked for it is gone.
            let _permit = permit;
            work()
        });
        done.await.map_err(|error| HashError::Unusable(error.to_string()))?
    }
}

/// A place among those who wait.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Result<Self, HashError> {
        if waiting.fetch_add(1, Ordering::Relaxed) >= WAITING_AT_MOST {
            waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(HashError::Busy);
        }
        Ok(Self(waiting))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whose password it is to be: what others know of its owner is guessed first.
#[derive(Debug, Clone)]
pub struct About {
    /// The account's name.
    pub account: String,
    /// Anything else that is known: agency, number, address.
    pub known: Vec<String>,
}

/// What is wrong with a new password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    /// Fewer than [`SHORTEST`] characters.
    Short,
    /// More than 256 characters.
    Long,
    /// Fewer than three of: lower case, upper case, digits, others; long passphrases are exempt.
    Kinds,
    /// Fewer than six different characters.
    Repetitive,
    /// It holds the account's name.
    Name,
    /// It is guessed soon: known from breaches, a word with a digit, a row of keys, a date.
    Guessable,
    /// The same as the present one or one of the last three.
    Reused,
}

impl Weakness {
    /// The sentence for people: English, Traditional Chinese.
    pub fn text(self) -> (&'static str, &'static str) {
        match self {
            Weakness::Short => ("The new password needs at least 12 characters.", "新密碼至少需要 12 個字元。"),
            Weakness::Long => ("The new password may have at most 256 characters.", "新密碼最多 256 個字元。"),
            Weakness::Kinds => (
                "The new password needs three of: lower case, upper case, digits, other signs; or at least 20 characters.",
                "新密碼需包含小寫、大寫、數字、符號其中三種，或至少 20 個字元。",
            ),
            Weakness::Repetitive => {
                ("The new password needs at least six different characters.", "新密碼至少需要六個不同的字元。")
            }
            Weakness::Name => ("The new password must not hold the account's name.", "新密碼不得包含帳號名稱。"),
            Weakness::Guessable => (
                "The new password is too easy to guess: it is known from breaches, or made of common words, names, dates or rows of keys. Several unrelated words make a good one.",
                "新密碼太容易被猜中：曾外洩，或由常見字詞、姓名、日期、鍵盤順序組成。建議使用數個無關的字詞。",
            ),
            Weakness::Reused => {
                ("The new password must differ from the last three.", "新密碼不得與最近三次使用的密碼相同。")
            }
        }
    }
}

/// Checks a new password; reuse is checked where the history is at hand.
pub fn check_strength(about: &About, password: &str) -> Result<(), Weakness> {
    let letters: Vec<char> = password.chars().collect();
    if letters.len() < SHORTEST {
        return Err(Weakness::Short);
    }
    if letters.len() > 256 {
        return Err(Weakness::Long);
    }
    let different: std::collections::HashSet<&char> = letters.iter().collect();
    if different.len() < 6 {
        return Err(Weakness::Repetitive);
    }
    if password.to_lowercase().contains(&about.account.to_lowercase()) {
        return Err(Weakness::Name);
    }
    let has = |kind: fn(&char) -> bool| usize::from(letters.iter().any(kind));
    let other = |letter: &char| !letter.is_lowercase() && !letter.is_uppercase() && !letter.is_ascii_digit();
    let kinds = has(|l| l.is_lowercase()) + has(|l| l.is_uppercase()) + has(|l| l.is_ascii_digit()) + has(other);
    if kinds < 3 && letters.len() < 20 {
        return Err(Weakness::Kinds);
    }
    let mut known: Vec<&str> = about.known.iter().map(String::as_str).collect();
    known.extend(about.account.split(['.', '-', '_']).chain(["cityquery"]));
    if zxcvbn::zxcvbn(password, &known).score() < SCORE { Err(Weakness::Guessable) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn verifies_what_it_hashed_and_nothing_else() {
        let entropy = Entropy::seeded(1);
        let hasher = Hasher::new(&entropy);
        let hash = hasher.hash("correct horse battery", entropy.bytes()).await.expect("hashes");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(hasher.verify("correct horse battery", Some(&hash)).await.expect("verifies"));
        assert!(!hasher.verify("correct horse batterz", Some(&hash)).await.expect("verifies"));
        assert!(!hasher.verify("anything", None).await.expect("verifies against nobody"));
        assert!(matches!(hasher.verify("x", Some("not a hash")).await, Err(HashError::Unusable(_))));
    }

    #[test]
    fn weak_passwords_are_told_why() {
        let cases = [
            ("short1A!", Err(Weakness::Short)),
            ("aaaaaaaaaaaaA1", Err(Weakness::Repetitive)),
            ("my-Fire.Officer-1", Err(Weakness::Name)),
            ("onlylowercaseword", Err(Weakness::Kinds)),
            ("a long phrase of small words", Ok(())),
            ("Lanterns-7-above", Ok(())),
            ("Umbrellas-9-below", Ok(())),
            ("Kettles-3-between", Ok(())),
            ("Password1234", Err(Weakness::Guessable)),
            ("Qwertyuiop123", Err(Weakness::Guessable)),
            ("Fire-dept-117", Err(Weakness::Guessable)),
        ];
        let about = About { account: "fire.officer".to_owned(), known: vec!["fire-dept-117".to_owned()] };
        for (password, expected) in cases {
            assert_eq!(check_strength(&about, password), expected, "{password}");
        }
    }
}
