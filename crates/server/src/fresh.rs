//! New ids and secrets, from a clock and entropy that are handed in.

use copal_model::{Clock, Entropy};
use uuid::Uuid;

/// A new UUID, version 7: sorts by the time it was made.
pub fn uuid_v7(clock: &dyn Clock, entropy: &dyn Entropy) -> Uuid {
    let mut random = [0; 10];
    entropy.fill(&mut random);
    let millis = u64::try_from(clock.now().as_millisecond()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// A new random UUID, version 4, as event ids are.
pub fn uuid_v4(entropy: &dyn Entropy) -> Uuid {
    let mut random = [0; 16];
    entropy.fill(&mut random);
    uuid::Builder::from_random_bytes(random).into_uuid()
}

/// A new public key of a DSN: 32 hexadecimal digits (SDK DSN spec).
pub fn public_key(entropy: &dyn Entropy) -> String {
    uuid_v4(entropy).simple().to_string()
}
