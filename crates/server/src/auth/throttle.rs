//! How often logging in and signing up may be tried (ASVS 6.3.1).
//!
//! Counted by address and by network, so that neither many passwords for one person nor one
//! password for many people get far. Tries are taken before the password is looked at, so that
//! parallel guesses count, and given back when it was right, so that people never wait for their
//! own log-ins. Memory is bounded by construction: keys fall into a fixed number of buckets by a
//! hash that nobody outside can aim at.

use std::convert::Infallible;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::net::IpAddr;
use std::sync::Mutex;

use axum::extract::FromRequestParts;
use axum::http::Extensions;
use axum::http::request::Parts;
use copal_model::{Email, Timestamp};

use crate::app::App;
use crate::auth::Refusal;
use crate::middleware::client_ip::ClientIp;

/// Buckets of one throttle; two keys share one only by chance.
const BUCKETS: usize = 1 << 15;
/// Microseconds in a second.
const MICROS: i64 = 1_000_000;

/// How often something may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Tries that may be made at once.
    pub burst: u32,
    /// Seconds after which one more may be made.
    pub refill_secs: u32,
}

/// How often logging in and signing up may be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginLimits {
    /// Wrong passwords for one address.
    pub per_address: Rate,
    /// Wrong passwords from one network: an IPv4 address or an IPv6 /64.
    pub per_network: Rate,
    /// Accounts made from one network.
    pub sign_ups: Rate,
}

impl Default for LoginLimits {
    fn default() -> Self {
        Self {
            per_address: Rate {
                burst: 10,
                refill_secs: 60,
            },
            per_network: Rate {
                burst: 100,
                refill_secs: 10,
            },
            sign_ups: Rate {
                burst: 100,
                refill_secs: 60,
            },
        }
    }
}

/// How often logging in was tried.
#[derive(Debug)]
pub struct LoginThrottle {
    by_address: Throttle,
    by_network: Throttle,
    sign_ups: Throttle,
}

impl LoginThrottle {
    /// Starts with nothing tried yet.
    pub fn new(limits: &LoginLimits) -> Self {
        Self {
            by_address: Throttle::new(limits.per_address),
            by_network: Throttle::new(limits.per_network),
            sign_ups: Throttle::new(limits.sign_ups),
        }
    }

    /// Takes a try to log in; call [`Self::give_back`] if the password was right.
    ///
    /// # Errors
    /// [`Refusal::TooManyTries`] when there is none left.
    pub fn take(&self, email: &Email, network: Network, now: Timestamp) -> Result<(), Refusal> {
        self.by_network.take(&network, now)?;
        self.by_address.take(email, now)
    }

    /// Gives a try back: the password was right.
    pub fn give_back(&self, email: &Email, network: Network) {
        self.by_network.give_back(&network);
        self.by_address.give_back(email);
    }

    /// Takes a try to sign up.
    ///
    /// # Errors
    /// [`Refusal::TooManyTries`] when there is none left.
    pub fn take_sign_up(&self, network: Network, now: Timestamp) -> Result<(), Refusal> {
        self.sign_ups.take(&network, now)
    }
}

/// Where a request comes from, as coarse as one customer of a provider: an IPv4 address or an
/// IPv6 /64. The real peer, or what a trusted proxy says; never a header that anybody can write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(Option<IpAddr>);

impl Network {
    /// The network that a request came from.
    pub fn of(extensions: &Extensions) -> Self {
        let client = extensions.get::<ClientIp>();
        Self(client.map(|ClientIp(ip)| Self::prefix(ip.to_canonical())))
    }

    /// The network of an address.
    fn prefix(ip: IpAddr) -> IpAddr {
        match ip {
            IpAddr::V4(ip) => IpAddr::V4(ip),
            IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) >> 64 << 64).into()),
        }
    }
}

impl FromRequestParts<App> for Network {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions))
    }
}

/// A rate for each of many keys: for each bucket the time when it will be full again.
#[derive(Debug)]
struct Throttle {
    rate: Rate,
    hasher: RandomState,
    full_at: Mutex<Vec<i64>>,
}

impl Throttle {
    fn new(rate: Rate) -> Self {
        Self {
            rate,
            hasher: RandomState::new(),
            full_at: Mutex::new(vec![0; BUCKETS]),
        }
    }

    fn take(&self, key: &impl Hash, now: Timestamp) -> Result<(), Refusal> {
        let now = now.as_microsecond();
        let refill = i64::from(self.rate.refill_secs) * MICROS;
        let tolerance = refill * i64::from(self.rate.burst);
        self.with_bucket(key, |full_at| {
            let taken = (*full_at).max(now) + refill;
            if taken - now <= tolerance {
                *full_at = taken;
                return Ok(());
            }
            let wait = taken - now - tolerance;
            Err(Refusal::TooManyTries {
                retry_after_secs: u64::try_from(wait.div_euclid(MICROS) + 1).unwrap_or(1),
            })
        })
    }

    fn give_back(&self, key: &impl Hash) {
        let refill = i64::from(self.rate.refill_secs) * MICROS;
        self.with_bucket(key, |full_at| *full_at -= refill);
    }

    fn with_bucket<T>(&self, key: &impl Hash, change: impl FnOnce(&mut i64) -> T) -> T {
        let mut full_at = self
            .full_at
            .lock()
            .expect("nothing panics while it holds this lock");
        let bucket = usize::try_from(self.hasher.hash_one(key) % BUCKETS as u64)
            .expect("the remainder is smaller than BUCKETS");
        change(&mut full_at[bucket])
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    const RATE: Rate = Rate {
        burst: 3,
        refill_secs: 60,
    };

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap() + SignedDuration::from_secs(secs)
    }

    fn waits(throttle: &Throttle, secs: i64) -> Option<u64> {
        match throttle.take(&"ana", at(secs)) {
            Ok(()) => None,
            Err(Refusal::TooManyTries { retry_after_secs }) => Some(retry_after_secs),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn the_burst_has_an_edge_and_refills() {
        let throttle = Throttle::new(RATE);
        assert_eq!(
            [
                waits(&throttle, 0),
                waits(&throttle, 0),
                waits(&throttle, 0)
            ],
            [None; 3]
        );
        assert_eq!(waits(&throttle, 0), Some(61));
        assert_eq!(waits(&throttle, 59), Some(2));
        assert_eq!(waits(&throttle, 60), None);
        assert_eq!(waits(&throttle, 60), Some(61));
        assert_eq!(
            [
                waits(&throttle, 999),
                waits(&throttle, 999),
                waits(&throttle, 999)
            ],
            [None; 3]
        );
        assert!(waits(&throttle, 999).is_some());
    }

    #[test]
    fn what_was_right_does_not_count() {
        let throttle = Throttle::new(RATE);
        for _ in 0..100 {
            assert_eq!(waits(&throttle, 0), None);
            throttle.give_back(&"ana");
        }
    }

    #[test]
    fn refusals_do_not_lengthen_the_wait() {
        let throttle = Throttle::new(RATE);
        for _ in 0..100 {
            let _ = waits(&throttle, 0);
        }
        assert_eq!(waits(&throttle, 60), None);
    }

    #[test]
    fn networks_are_addresses_or_ipv6_64s() {
        let prefix = |text: &str| Network::prefix(text.parse().unwrap());
        assert_eq!(prefix("2001:db8:1:2:3:4:5:6"), prefix("2001:db8:1:2::1"));
        assert_ne!(prefix("2001:db8:1:2::1"), prefix("2001:db8:1:3::1"));
        assert_ne!(prefix("192.0.2.1"), prefix("192.0.2.2"));
    }
}
