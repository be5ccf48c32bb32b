//! Passwords: Argon2id on a bounded number of threads, and which passwords are refused.
//!
//! One hash takes 19 MiB and some 20 ms (OWASP Password Storage Cheat Sheet: m=19456, t=2, p=1).
//! Hashing waits for one of few workers, so a flood of log-ins costs time and not memory.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use copal_model::limits::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN};
use copal_model::{Email, Entropy};
use tokio::sync::Semaphore;

use crate::auth::Refusal;

/// Memory of one hash, in KiB (OWASP).
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over the memory (OWASP).
const PASSES: u32 = 2;
/// Lanes (OWASP).
const LANES: u32 = 1;
/// Bytes of salt (RFC 9106 3.1).
const SALT_BYTES: usize = 16;
/// Passwords hashed at the same time: 38 MiB.
pub const WORKERS_MAX: usize = 2;
/// How long a log-in waits for a worker.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// The hash of no account: verified against when the address is unknown, so that time does not
/// tell. Made with the parameters above (tested).
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a password is refused, and what would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Too short.
    #[error("A password has at least {PASSWORD_CHARS_MIN} characters.")]
    TooShort,
    /// Too long to be meant.
    #[error("A password has at most {PASSWORD_CHARS_MAX} characters.")]
    TooLong,
    /// Among the first that anybody would guess.
    #[error("This password is among the first that an attacker tries. Choose another.")]
    Common,
    /// The address, or a part of it.
    #[error("The password must not be your e-mail address.")]
    IsAddress,
}

/// Checks a new password. Old ones are never checked: they only have to match.
///
/// # Errors
/// When it is too short, too long, or easily guessed.
pub fn check_new(password: &str, email: &Email) -> Result<(), WeakPassword> {
    let chars = password.chars().count();
    if chars < PASSWORD_CHARS_MIN {
        return Err(WeakPassword::TooShort);
    }
    if chars > PASSWORD_CHARS_MAX {
        return Err(WeakPassword::TooLong);
    }
    let folded = password.to_lowercase();
    let local = email.as_str().split('@').next().unwrap_or_default();
    if folded == email.as_str() || folded == local {
        return Err(WeakPassword::IsAddress);
    }
    if super::common_passwords::is_common(&folded) {
        return Err(WeakPassword::Common);
    }
    Ok(())
}

/// Hashes a password on this thread, which takes a while: for the command line. Servers use
/// [`Passwords::hash`].
pub fn hash_here(password: &str, entropy: &dyn Entropy) -> String {
    let mut salt = [0; SALT_BYTES];
    entropy.fill(&mut salt);
    let hash: PasswordHash = hasher()
        .hash_password_with_salt(password.as_bytes(), &salt)
        .expect("salt and parameters are in range (tested)");
    hash.to_string()
}

/// The bounded password workers.
#[derive(Debug)]
pub struct Passwords {
    workers: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

impl Passwords {
    /// All workers idle.
    pub fn new() -> Self {
        Self {
            workers: Arc::new(Semaphore::new(WORKERS_MAX)),
        }
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// [`Refusal::Busy`] when no worker is free for too long.
    pub async fn hash(&self, password: &str, entropy: Arc<dyn Entropy>) -> Result<String, Refusal> {
        let password = password.to_owned();
        self.work(move || hash_here(&password, &*entropy)).await
    }

    /// Whether the password is the one of the stored hash. `None` stands for an unknown address:
    /// the answer is no, after the same work.
    ///
    /// # Errors
    /// [`Refusal::Busy`] when no worker is free for too long.
    pub async fn verify(&self, password: &str, stored: Option<String>) -> Result<bool, Refusal> {
        if password.chars().count() > PASSWORD_CHARS_MAX {
            return Ok(false);
        }
        let password = password.to_owned();
        self.work(move || {
            let is_known = stored.is_some();
            let stored = stored.unwrap_or_else(|| NOBODY.to_owned());
            let matches = PasswordHash::new(&stored)
                .is_ok_and(|hash| hasher().verify_password(password.as_bytes(), &hash).is_ok());
            matches && is_known
        })
        .await
    }

    /// Runs `job` on a thread of its own once a worker is free. The worker stays taken until the
    /// job ends, even if whoever asked has gone.
    async fn work<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let waiting = Arc::clone(&self.workers).acquire_owned();
        let worker = tokio::time::timeout(WAIT_MAX, waiting)
            .await
            .map_err(|_| Refusal::Busy)?
            .expect("the workers are never closed");
        tokio::task::spawn_blocking(move || {
            let done = job();
            drop(worker);
            done
        })
        .await
        .map_err(|_| Refusal::Busy)
    }
}

fn hasher() -> Argon2<'static> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, None).expect("parameters are in range (tested)");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    fn check(password: &str) -> Result<(), WeakPassword> {
        check_new(password, &Email::parse("ana@shop.example").unwrap())
    }

    #[test]
    fn length_has_edges_and_counts_characters() {
        assert_eq!(check("añb2c3d"), Err(WeakPassword::TooShort));
        assert_eq!(check("añb2c3d4"), Ok(()));
        assert_eq!(check(&"horseman".repeat(PASSWORD_CHARS_MAX / 8)), Ok(()));
        assert_eq!(
            check(&format!("{}a", "horseman".repeat(PASSWORD_CHARS_MAX / 8))),
            Err(WeakPassword::TooLong)
        );
    }

    #[test]
    fn what_is_guessed_first_is_refused() {
        for password in [
            "Password1",
            "12345678",
            "qwertyuiop",
            "aaaaaaaaaa",
            "iloveyou1",
        ] {
            assert_eq!(check(password), Err(WeakPassword::Common), "{password}");
        }
        assert_eq!(check("ANA@shop.example"), Err(WeakPassword::IsAddress));
        assert_eq!(check("correct horse battery staple"), Ok(()));
    }

    #[tokio::test]
    async fn the_right_password_matches_and_nothing_else() {
        let passwords = Passwords::new();
        let hash = passwords
            .hash("correct horse", Arc::new(Fixed))
            .await
            .unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        let verify = async |password: &str, hash: Option<&str>| {
            passwords
                .verify(password, hash.map(str::to_owned))
                .await
                .unwrap()
        };
        assert!(verify("correct horse", Some(&hash)).await);
        assert!(!verify("correct horse ", Some(&hash)).await);
        assert!(!verify("Correct horse", Some(&hash)).await);
        assert!(!verify("correct horse", Some("not a hash")).await);
        assert!(!verify("correct horse", None).await);
    }

    #[test]
    fn nobody_costs_what_somebody_does() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let somebody = hash_here("x", &Fixed);
        let somebody = PasswordHash::new(&somebody).unwrap();
        assert_eq!(nobody.algorithm, somebody.algorithm);
        assert_eq!(nobody.version, somebody.version);
        assert_eq!(nobody.params, somebody.params);
        let length = |hash: &PasswordHash| {
            hash.hash
                .as_ref()
                .map(argon2::password_hash::phc::Output::len)
        };
        assert_eq!(length(&nobody), length(&somebody));
    }
}
